import asyncio
import io
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from deepgram_async import DeepgramSession
from deepgram_async._io.uploads import Upload, open_upload
from deepgram_async.errors import AudioSourceError, AuthenticationError
from tests.support.answers import transcription
from tests.support.servers import http_server

# Several blocks, and an odd rest.
AUDIO = bytes(range(256)) * 2500 + b"tail"


async def read(upload: Upload) -> bytes:
    return b"".join([bytes(block) async for block in upload.blocks()])


def open_files() -> list[str]:
    return [os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()]


async def chunks() -> AsyncIterator[bytes]:
    yield AUDIO[:1000]
    yield AUDIO[1000:]


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    path = tmp_path / "meeting.wav"
    path.write_bytes(AUDIO)
    return path


# Sources that can be read again.


async def test_a_path_is_read_from_the_file(audio: Path) -> None:
    upload = await open_upload(audio)
    assert await read(upload) == AUDIO
    assert (upload.length, upload.is_replayable) == (len(AUDIO), True)


async def test_a_short_file_is_read_at_once(tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    path.write_bytes(AUDIO[:3000])
    upload = await open_upload(path)
    path.unlink()
    assert upload.whole == await read(upload) == await read(upload) == AUDIO[:3000]
    assert (upload.length, upload.is_replayable) == (3000, True)


async def test_a_path_may_be_text(audio: Path) -> None:
    assert await read(await open_upload(str(audio))) == AUDIO


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_bytes_of_every_kind_are_sent_as_they_are(kind: type[Any]) -> None:
    upload = await open_upload(kind(AUDIO))
    assert await read(upload) == AUDIO
    assert (upload.length, upload.is_replayable) == (len(AUDIO), True)


async def test_a_memoryview_of_wide_items_is_counted_in_bytes() -> None:
    upload = await open_upload(memoryview(AUDIO[:1000]).cast("h"))
    assert upload.length == 1000
    assert await read(upload) == AUDIO[:1000]


async def test_a_memoryview_with_gaps_is_refused() -> None:
    with pytest.raises(AudioSourceError, match="gaps"):
        await open_upload(memoryview(AUDIO)[::2])


async def test_a_source_that_can_be_read_again_is_the_same_each_time(audio: Path) -> None:
    with audio.open("rb") as file:
        for source in (audio, AUDIO, file):
            upload = await open_upload(source)
            assert await read(upload) == await read(upload) == AUDIO


async def test_a_file_object_is_read_from_its_position(audio: Path) -> None:
    with audio.open("rb") as file:
        file.seek(100)
        upload = await open_upload(file)
        assert await read(upload) == AUDIO[100:]
        assert upload.length == len(AUDIO) - 100


async def test_a_file_object_is_left_open(audio: Path) -> None:
    with audio.open("rb") as file:
        await read(await open_upload(file))
        assert not file.closed


async def test_a_file_in_memory_has_a_length() -> None:
    upload = await open_upload(io.BytesIO(AUDIO))
    assert await read(upload) == AUDIO
    assert (upload.length, upload.is_replayable) == (len(AUDIO), True)


# Sources that can be read once.


async def test_a_pipe_has_no_length_and_is_read_once() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as pipe:
        upload = await open_upload(pipe)
        assert (upload.length, upload.is_replayable) == (None, False)
        with os.fdopen(writing, "wb") as writer:
            writer.write(b"from a pipe")
        assert await read(upload) == b"from a pipe"


async def test_a_named_pipe_loses_nothing(tmp_path: Path) -> None:
    fifo = tmp_path / "audio.fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"from a named pipe",))
    writer.start()
    upload = await open_upload(fifo)
    assert await read(upload) == b"from a named pipe"
    assert (upload.length, upload.is_replayable) == (None, False)
    writer.join()


async def test_an_async_iterator_is_read_once() -> None:
    upload = await open_upload(chunks())
    assert await read(upload) == AUDIO
    assert (upload.length, upload.is_replayable) == (None, False)


async def test_an_async_iterable_that_knows_its_length_can_be_read_again() -> None:
    class Stored:
        content_length = len(AUDIO)

        def __aiter__(self) -> AsyncIterator[bytes]:
            return chunks()

    upload = await open_upload(Stored())
    assert (upload.length, upload.is_replayable) == (len(AUDIO), True)
    assert await read(upload) == await read(upload) == AUDIO


async def test_a_plain_iterator_is_advanced_off_the_loop() -> None:
    threads: set[int] = set()

    def blocking() -> Iterator[bytes]:
        for start in range(0, len(AUDIO), 100_000):
            threads.add(threading.get_ident())
            yield AUDIO[start : start + 100_000]

    upload = await open_upload(blocking())
    assert await read(upload) == AUDIO
    assert (upload.length, upload.is_replayable) == (None, False)
    assert threading.get_ident() not in threads


async def test_a_buffer_that_is_filled_again_is_copied() -> None:
    async def refilled() -> AsyncIterator[Any]:
        buffer = bytearray(3)
        for letter in b"ab":
            buffer[:] = bytes([letter] * 3)
            yield buffer

    blocks = [block async for block in (await open_upload(refilled())).blocks()]
    assert blocks == [b"aaa", b"bbb"]


async def test_an_async_file_is_read_by_iterating() -> None:
    class AsyncFile:
        async def read(self, _size: int) -> bytes:
            raise AssertionError("the thread cannot await it")

        def __aiter__(self) -> AsyncIterator[bytes]:
            return chunks()

    assert await read(await open_upload(AsyncFile())) == AUDIO


# Sources that are none.


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "is empty"),
        (bytearray(), "is empty"),
        (memoryview(b""), "is empty"),
        (io.BytesIO(), "is empty"),
        (io.StringIO("text"), "binary mode"),
        (17, "cannot read audio from 'int'"),
        (None, "cannot read audio from 'NoneType'"),
        ("no/such/file.wav", "there is no file 'no/such/file.wav'"),
        ("with\0null.wav", "cannot read"),
    ],
)
async def test_a_source_without_audio_is_refused_before_anything_is_sent(
    source: Any, words: str
) -> None:
    with pytest.raises(AudioSourceError, match=words):
        await open_upload(source)


async def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioSourceError, match="is a directory, not an audio file"):
        await open_upload(tmp_path)


async def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(AudioSourceError, match="empty"):
        await open_upload(path)


async def test_a_file_that_was_read_to_its_end_is_refused(audio: Path) -> None:
    with audio.open("rb") as file:
        file.read()
        with pytest.raises(AudioSourceError, match="read to its end"):
            await open_upload(file)


async def test_a_closed_file_is_refused(audio: Path) -> None:
    with audio.open("rb") as file:
        pass
    with pytest.raises(AudioSourceError, match="closed file"):
        await open_upload(file)


async def test_a_file_in_text_mode_is_refused(audio: Path) -> None:
    with audio.open(encoding="latin-1") as file:
        source: Any = file
        with pytest.raises(AudioSourceError, match="binary mode"):
            await open_upload(source)


async def test_a_reader_of_text_is_found_out_while_it_is_read() -> None:
    class Text:
        def read(self, _size: int) -> str:
            return "text"

    source: Any = Text()
    with pytest.raises(AudioSourceError, match="binary mode"):
        await read(await open_upload(source))


@pytest.mark.parametrize("items", [[], [b"", b""]])
async def test_an_iterator_without_a_byte_is_found_out_at_its_end(items: list[bytes]) -> None:
    with pytest.raises(AudioSourceError, match="the audio source is empty"):
        await read(await open_upload(items))


@pytest.mark.parametrize("item", ["text", None, 17, [b"bytes"]])
async def test_an_iterator_of_something_else_is_found_out(item: Any) -> None:
    with pytest.raises(AudioSourceError, match=f"yields {type(item).__name__}, not bytes"):
        await read(await open_upload([b"audio", item, b"more"]))


async def test_a_file_that_shrinks_is_found_out(audio: Path) -> None:
    upload = await open_upload(audio)
    os.truncate(audio, 10)
    with pytest.raises(AudioSourceError, match=f"after 10 of {len(AUDIO)} bytes"):
        await read(upload)


async def test_the_error_of_a_source_passes_unchanged() -> None:
    failure = KeyError("no such block")

    async def failing() -> AsyncIterator[bytes]:
        yield b"audio"
        raise failure

    upload = await open_upload(failing())
    with pytest.raises(KeyError) as caught:
        await read(upload)
    assert caught.value is failure


# The media type.


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.mp3", b"anything", "audio/mpeg"),
        ("a.MP4", b"anything", "video/mp4"),
        ("a.b.flac", b"anything", "audio/flac"),
        ("unnamed", b"OggS" + bytes(12), "audio/ogg"),
        ("a.bin", b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        ("a.bin", b"\0\0\0\x20ftypM4A \0\0\0\0", "audio/mp4"),
        ("a.json", b"{}", "application/octet-stream"),
    ],
)
async def test_the_type_of_a_file_is_found_by_suffix_and_then_by_content(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert (await open_upload(path)).content_type == expected


async def test_the_type_of_bytes_is_found_by_content() -> None:
    assert (await open_upload(b"fLaC" + bytes(20))).content_type == "audio/flac"


async def test_the_type_of_a_file_object_is_found_by_its_name(audio: Path) -> None:
    with audio.open("rb") as file:
        assert (await open_upload(file)).content_type == "audio/wav"


async def test_a_stated_type_wins(audio: Path) -> None:
    with audio.open("rb") as file:
        for source in (audio, AUDIO, file, chunks(), [AUDIO]):
            assert (await open_upload(source, "audio/l16")).content_type == "audio/l16"


# On the wire.


async def test_the_length_is_announced_where_it_is_known(audio: Path) -> None:
    heads: list[tuple[str | None, str | None]] = []

    async def note(request: web.Request) -> web.Response:
        assert await request.read() == AUDIO
        heads.append(
            (request.headers.get("Content-Length"), request.headers.get("Transfer-Encoding"))
        )
        return transcription()

    async with http_server(note) as url, DeepgramSession("key", base_url=url) as dg:
        with audio.open("rb") as file:
            for source in (audio, AUDIO, file, chunks(), [AUDIO[:5], b"", AUDIO[5:]]):
                await dg.listen.transcribe(source)
    known, unknown = (str(len(AUDIO)), None), (None, "chunked")
    assert heads == [known, known, known, unknown, unknown]


@pytest.mark.parametrize("is_known", [True, False])
async def test_progress_is_told_up_to_the_whole(is_known: bool) -> None:
    told: list[tuple[int, int | None]] = []

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return transcription()

    async with http_server(take) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(
            AUDIO if is_known else chunks(), progress=lambda sent, total: told.append((sent, total))
        )
    total = len(AUDIO) if is_known else None
    assert [sent for sent, _ in told] == sorted(sent for sent, _ in told)
    assert told[-1] == (len(AUDIO), total)
    assert {of for _, of in told} == {total}


async def test_an_error_of_the_progress_hook_reaches_its_owner() -> None:
    class HookError(Exception):
        pass

    def fail(_sent: int, _total: int | None) -> None:
        raise HookError

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return transcription()

    async with http_server(take) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(HookError):
            await dg.listen.transcribe(AUDIO, progress=fail)


@pytest.mark.parametrize(
    "failure", [KeyError("block 7"), ValueError("bad"), OSError(5, "disk"), RuntimeError("x")]
)
async def test_the_error_of_a_source_reaches_its_owner(failure: Exception) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield AUDIO
        raise failure

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return transcription()

    async with http_server(take) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(type(failure)) as caught:
            await dg.listen.transcribe(failing())
        assert caught.value is failure
        assert failure.__context__ is None


async def test_an_empty_iterator_is_no_transcription() -> None:
    async def take(request: web.Request) -> web.Response:
        await request.read()
        return transcription()

    async with http_server(take) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(AudioSourceError, match="empty"):
            await dg.listen.transcribe(iter([]))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the list of open files")
async def test_the_file_is_closed_when_the_request_has_failed(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(AUDIO * 32)

    async def refuse(_request: web.Request) -> web.Response:
        return web.Response(status=401)

    async with http_server(refuse) as url, DeepgramSession("key", base_url=url) as dg:
        with pytest.raises(AuthenticationError):
            await dg.listen.transcribe(path)
        assert str(path) not in open_files()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the list of open files")
async def test_the_file_is_closed_when_the_request_was_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(AUDIO * 32)
    has_begun, is_over = asyncio.Event(), asyncio.Event()

    async def take_nothing(request: web.Request) -> web.Response:
        await request.content.readany()
        has_begun.set()
        await is_over.wait()
        raise web.HTTPServiceUnavailable

    async with http_server(take_nothing) as url, DeepgramSession("key", base_url=url) as dg:
        task = asyncio.create_task(dg.listen.transcribe(path))
        await has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert str(path) not in open_files()
        is_over.set()


@pytest.mark.parametrize("repeated", range(3))
async def test_a_connection_is_used_again_after_an_upload(audio: Path, repeated: int) -> None:
    peers: set[object] = set()

    async def note(request: web.Request) -> web.Response:
        peers.add(request.transport)
        await request.read()
        return transcription()

    async with http_server(note) as url, DeepgramSession("key", base_url=url) as dg:
        for _ in range(5):
            await dg.listen.transcribe(audio)
    assert len(peers) == 1, repeated


async def test_twenty_megabytes_arrive_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(AUDIO * 32)
    received = 0

    async def count(request: web.Request) -> web.Response:
        nonlocal received
        async for block in request.content.iter_any():
            received += len(block)
        return transcription()

    async with http_server(count) as url, DeepgramSession("key", base_url=url) as dg:
        await dg.listen.transcribe(path)
    assert received == len(AUDIO) * 32
