import asyncio
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession, SizedAudio
from deepgram_async.batch import (
    Batch,
    Done,
    Failed,
    Item,
    StoredItem,
    item_key,
    listed_recordings,
    recordings,
    stored_recordings,
)
from deepgram_async.emulator import Emulator, ScriptedRecognizer
from deepgram_async.errors import AudioSourceError, ConfigurationError
from tests.emulator.helpers import silence, wav
from tests.support.batches import batch_service
from tests.support.s3 import s3_server
from tests.support.servers import http_server

obstore: Any = pytest.importorskip("obstore")
stores: Any = pytest.importorskip("obstore.store")

CALLS = {
    "calls/a.wav": b"words of a",
    "calls/deep/b.mp3": b"words of b",
    "calls/notes.txt": b"no audio",
    "calls2/c.wav": b"words of c",
}


def memory(objects: dict[str, bytes] | None = None) -> Any:
    store = stores.MemoryStore()
    for path, content in (objects or CALLS).items():
        obstore.put(store, path, content)
    return store


def listed(place: str, **settings: Any) -> list[Item]:
    return list(stored_recordings(place, **settings))


async def read(item: Item) -> tuple[int, bytes]:
    async with item.open() as source:
        assert isinstance(source, SizedAudio)
        return source.content_length, b"".join([piece async for piece in source])


async def test_a_directory_is_listed_with_all_below_and_nothing_beside_it() -> None:
    items = listed("calls/", store=memory())
    assert [item.name for item in items] == ["calls/a.wav", "calls/deep/b.mp3"]
    assert [item.name for item in listed("calls", store=memory())] == [
        "calls/a.wav",
        "calls/deep/b.mp3",
    ]
    assert [item.name for item in listed("", store=memory())] == [
        "calls/a.wav",
        "calls/deep/b.mp3",
        "calls2/c.wav",
    ]


async def test_an_object_is_itself_whatever_its_name() -> None:
    [item] = listed("calls/notes.txt", store=memory())
    assert await read(item) == (8, b"no audio")


async def test_a_place_with_nothing_is_an_error() -> None:
    with pytest.raises(AudioSourceError, match="no recordings at 'elsewhere/'"):
        listed("elsewhere/", store=memory())


async def test_the_bytes_are_told_beforehand_and_can_be_read_again() -> None:
    content = bytes(range(256)) * 4000
    [item] = listed("long.wav", store=memory({"long.wav": content}))
    assert await read(item) == await read(item) == (len(content), content)


async def test_an_item_is_another_one_when_its_content_is() -> None:
    store = memory()
    [before] = listed("calls/a.wav", store=store)
    [again] = listed("calls/a.wav", store=store)
    obstore.put(store, "calls/a.wav", b"other word")
    [after] = listed("calls/a.wav", store=store)
    keys = [await item_key(item, {}) for item in (before, again, after)]
    assert keys[0] == keys[1] != keys[2]


async def test_an_object_that_has_changed_since_is_found_out() -> None:
    store = memory()
    [item] = listed("calls/a.wav", store=store)
    obstore.put(store, "calls/a.wav", b"other word")
    with pytest.raises(AudioSourceError, match="has changed"):
        await read(item)
    obstore.delete(store, "calls/a.wav")
    with pytest.raises(AudioSourceError, match="no object"):
        await read(item)


async def test_items_of_a_store_travel_to_other_machines(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"words")
    [item] = listed("a.wav", store=stores.LocalStore(tmp_path))
    assert await read(pickle.loads(pickle.dumps(item))) == (5, b"words")


async def test_a_store_that_signs_no_urls_says_so() -> None:
    [item] = listed("calls/a.wav", store=memory(), presigned_for_s=60)
    with pytest.raises(ConfigurationError, match="MemoryStore signs no URLs"):
        async with item.open():
            pass


@pytest.mark.parametrize(
    ("place", "story"),
    [
        ("ftp://bucket/a", "no store that is known"),
        ("calls/a.wav", "no store that is known"),
        ("s3:///a", "names no bucket"),
        ("https://example.com/a.wav?signature=x", "only fetched by Deepgram"),
        ("https://user:password@example.com/a.wav", "only fetched by Deepgram"),
    ],
)
async def test_a_place_that_cannot_be_is_an_error(place: str, story: str) -> None:
    with pytest.raises(ConfigurationError, match=story):
        listed(place)


@pytest.fixture
def s3_settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "sentinel-id",
        "AWS_SECRET_ACCESS_KEY": "sentinel-secret",
        "AWS_REGION": "eu-central-1",
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


async def test_a_bucket_is_streamed_through_a_batch(s3_settings: pytest.MonkeyPatch) -> None:
    async with s3_server("bucket", CALLS) as bucket, batch_service() as service:
        s3_settings.setenv("AWS_ENDPOINT_URL", bucket.url)
        async with service.session() as dg:
            batch = Batch(dg, stored_recordings("s3://bucket/calls/"))
            outcomes = [outcome async for outcome in batch]
    assert {(o.item.source, o.item.name) for o in outcomes} == {
        ("s3://bucket/calls/a.wav", "bucket/calls/a.wav"),
        ("s3://bucket/calls/deep/b.mp3", "bucket/calls/deep/b.mp3"),
    }
    assert sorted(service.answered) == [b"words of a", b"words of b"]
    assert all(bucket.authorized)


async def test_stores_stand_among_other_places_and_in_lists(
    s3_settings: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "here.wav").write_bytes(b"words")
    (tmp_path / "list.jsonl").write_text(
        '{"source": "s3://bucket/calls/a.wav", "name": "first"}\n{"source": "s3://bucket/calls2"}\n'
    )
    async with s3_server("bucket", CALLS) as bucket:
        s3_settings.setenv("AWS_ENDPOINT_URL", bucket.url)
        places = (str(tmp_path / "calls"), "s3://bucket/calls", "https://example.com/x.wav")
        found = await asyncio.to_thread(lambda: list(recordings(*places)))
        in_list = await asyncio.to_thread(
            lambda: list(listed_recordings(tmp_path / "list.jsonl", presigned_for_s=60))
        )
    assert [item.name for item in found] == [
        "here.wav",
        "bucket/calls/a.wav",
        "bucket/calls/deep/b.mp3",
        "example.com/x.wav",
    ]
    assert [item.name for item in in_list] == ["first", "bucket/calls2/c.wav"]
    assert all(isinstance(item, StoredItem) and item.presigned_for_s == 60 for item in in_list)


async def test_deepgram_fetches_a_signed_url_by_itself(s3_settings: pytest.MonkeyPatch) -> None:
    recording = wav(silence(1.0))
    async with (
        s3_server("bucket", {"calls/a b.wav": recording}) as bucket,
        Emulator(ScriptedRecognizer.from_text("Hello, world.")) as emulator,
        DeepgramSession("any-key", base_url=emulator.base_url) as dg,
    ):
        s3_settings.setenv("AWS_ENDPOINT_URL", bucket.url)
        batch = Batch(dg, stored_recordings("s3://bucket/", presigned_for_s=600), punctuate=True)
        [outcome] = [outcome async for outcome in batch]
    assert isinstance(outcome, Done)
    assert outcome.answer.transcript == "Hello, world."
    # This machine has only listed; the URL that was given away is valid for what was asked.
    listing, fetched = bucket.asked
    assert "list-type=2" in listing
    assert fetched.startswith("GET /bucket/calls/a%20b.wav?")
    assert "X-Amz-Expires=600" in fetched
    assert "sentinel-secret" not in fetched
    assert "X-Amz" not in outcome.item.source + repr(outcome.item)


async def test_a_web_server_that_deepgram_cannot_reach_is_read_here() -> None:
    async def serve(request: web.Request) -> web.Response:
        if request.path != "/intern/a b.wav":
            return web.Response(status=404)
        return web.Response(body=b"words", headers={"ETag": '"1"'})

    async with http_server(serve) as url:
        [item] = await asyncio.to_thread(listed, f"{url}/intern/a%20b.wav")
        assert await read(item) == (5, b"words")
        assert item.source == f"{url}/intern/a b.wav"
        assert item.name == f"{url.removeprefix('http://').replace(':', '_')}/intern/a b.wav"
        with pytest.raises(AudioSourceError):
            await asyncio.to_thread(listed, f"{url}/nothing.wav")


async def test_a_place_handed_to_a_batch_as_it_is_tells_what_to_do() -> None:
    async with DeepgramSession("any-key") as dg:
        with pytest.raises(ConfigurationError, match=r"recordings\('s3://bucket/a.wav'\)"):
            await Batch(dg, ["s3://bucket/a.wav"]).run()


async def test_an_object_that_cannot_be_read_fails_alone() -> None:
    store = memory()
    gone = StoredItem(store=store, path="calls/gone.wav", size=3, version="1")
    [kept] = listed("calls/a.wav", store=store)
    async with batch_service() as service:
        async with service.session() as dg:
            outcomes = [o async for o in Batch(dg, [gone, kept], in_order=True)]
    assert isinstance(outcomes[0], Failed)
    assert isinstance(outcomes[0].error, AudioSourceError)
    assert isinstance(outcomes[1], Done)


async def test_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=403)

    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    async with http_server(refuse) as url:
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", url)
        with pytest.raises(AudioSourceError, match="there are no credentials"):
            await asyncio.to_thread(list, recordings("s3://bucket/calls/"))


def test_a_missing_extra_is_named() -> None:
    program = (
        "import sys\n"
        "sys.modules['obstore'] = None\n"
        "from deepgram_async.batch import stored_recordings\n"
        "next(stored_recordings('s3://bucket/'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "deepgram-async[cloud]" in done.stderr
