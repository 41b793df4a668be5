"""A small S3 on loopback: it lists, tells of objects and gives them, and checks no signature."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5

from aiohttp import web

from tests.support.servers import http_server

__all__ = ["Bucket", "s3_server"]


@dataclass
class Bucket:
    """One bucket, and what it was asked for."""

    objects: dict[str, bytes]
    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    """Method and path with the query of every request."""
    authorized: list[bool] = field(default_factory=list[bool])
    """Whether it was signed, in a header or in the query."""


@asynccontextmanager
async def s3_server(name: str, objects: dict[str, bytes]) -> AsyncGenerator[Bucket]:
    """Serve a bucket with path-style addresses."""
    bucket = Bucket(objects)

    async def handle(request: web.Request) -> web.Response:
        bucket.asked.append(f"{request.method} {request.path_qs}")
        is_signed = "Authorization" in request.headers or "X-Amz-Signature" in request.query
        bucket.authorized.append(is_signed)
        if request.query.get("list-type") == "2":
            listing = _listing(objects, request.query.get("prefix", ""))
            return web.Response(text=listing, content_type="application/xml")
        content = objects.get(request.path.removeprefix(f"/{name}/"))
        if content is None:
            return web.Response(status=404)
        headers = {"ETag": _e_tag(content), "Last-Modified": formatdate(0, usegmt=True)}
        return web.Response(body=content, headers=headers)

    async with http_server(handle) as url:
        bucket.url = url
        yield bucket


def _listing(objects: dict[str, bytes], prefix: str) -> str:
    found = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(content)}</Size><ETag>{_e_tag(content)}</ETag>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, content in sorted(objects.items())
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"


def _e_tag(content: bytes) -> str:
    return f'"{md5(content, usedforsecurity=False).hexdigest()}"'
