"""Sources of text that is to be spoken, as one kind of iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator

from deepgram_async._protocol.sources import TextSource
from deepgram_async.errors import OptionError

__all__ = ["texts_of"]


async def texts_of(source: TextSource) -> AsyncGenerator[str]:
    """Yield the parts of a source without blocking the event loop; empty ones are left out.

    Raises:
        OptionError: The source, or a part of it, is no text.
    """
    if isinstance(source, str):
        parts: AsyncIterable[str] = _each([source])
    elif isinstance(source, AsyncIterable):
        parts = source
    elif isinstance(source, list | tuple):
        parts = _each(source)
    elif isinstance(source, Iterable):
        parts = _off_the_loop(iter(source))
    else:
        raise OptionError(f"cannot speak {type(source).__name__!r}", option="source")
    async for part in parts:
        if not isinstance(part, str):
            raise OptionError(f"a text must be str, not {type(part).__name__}", option="source")
        if part:
            yield part


async def _each(parts: Iterable[str]) -> AsyncIterator[str]:
    for part in parts:
        yield part


async def _off_the_loop(iterator: Iterator[str]) -> AsyncIterator[str]:
    while (part := await asyncio.to_thread(next, iterator, None)) is not None:
        yield part
