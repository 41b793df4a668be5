"""Flags of a batch that is one of several, or whose answers come by another way."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path
from typing import Final, TypedDict, TypeVar

import click

from deepgram_async.batch import (
    AdaptiveGate,
    Gate,
    Item,
    RedisGate,
    Shard,
    Transcriber,
    callback_transcriber,
    listed_recordings,
    recordings,
    transcribe_whole,
)
from deepgram_async.errors import ConfigurationError

__all__ = ["ScaleFlags", "gate_of", "items_of", "of_shard", "scale_flags", "transcriber_of"]

_Command = TypeVar("_Command", bound=Callable[..., object])


class ScaleFlags(TypedDict):
    """What `scale_flags` adds to a command."""

    shard: Shard | None
    redis_url: str | None
    presign_s: float | None
    callback: str | None
    callback_port: int


def _read_shard(context: click.Context, flag: click.Parameter, text: str | None) -> Shard | None:
    try:
        return None if text is None else Shard.parse(text)
    except ConfigurationError as error:
        raise click.BadParameter(error.message, context, flag) from None


_FLAGS: Final = (
    click.option(
        "--shard",
        callback=_read_shard,
        metavar="N/COUNT",
        help="Take one of COUNT equal parts, counted from 0. auto and auto/COUNT read the "
        "variables of an array job of AWS Batch, Slurm or Kubernetes.",
    ),
    click.option(
        "--redis",
        "redis_url",
        metavar="URL",
        help="Share --limit with all batches that name this Redis.",
    ),
    click.option(
        "--presign",
        "presign_s",
        type=click.FloatRange(1),
        metavar="SECONDS",
        help="Let Deepgram fetch what is in s3://, gs:// and az:// from signed URLs valid so long.",
    ),
    click.option(
        "--callback",
        metavar="URL",
        help="Have the answers brought to this URL, which must lead to --callback-port.",
    ),
    click.option(
        "--callback-port",
        type=click.IntRange(0, 65535),
        default=8080,
        show_default=True,
        metavar="PORT",
        help="Port of this machine that takes the callbacks.",
    ),
)


def scale_flags(command: _Command) -> _Command:
    """Add the flags."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


def items_of(places: Sequence[str], lists: Sequence[Path], flags: ScaleFlags) -> Iterable[Item]:
    """Return what is to be transcribed; blocks while it is iterated."""
    presigned_for_s = flags["presign_s"]
    found: Iterable[Item] = chain(
        recordings(*places, presigned_for_s=presigned_for_s),
        *(listed_recordings(path, presigned_for_s=presigned_for_s) for path in lists),
    )
    shard = flags["shard"]
    return found if shard is None else filter(shard.holds, found)


def of_shard(path: Path, flags: ScaleFlags) -> Path:
    """Return a path, or one beside it for this part of a batch.

    Journals and collections of answers are written by one process at a time.
    """
    shard = flags["shard"]
    if shard is None:
        return path
    return path.with_stem(f"{path.stem}-{shard.index}-of-{shard.count}")


async def gate_of(stack: AsyncExitStack, limit: int, flags: ScaleFlags) -> Gate:
    """Return the gate, open as long as the stack is."""
    if flags["redis_url"] is None:
        return AdaptiveGate(limit, start=min(10, limit))
    return await stack.enter_async_context(RedisGate(flags["redis_url"], limit=limit))


async def transcriber_of(stack: AsyncExitStack, flags: ScaleFlags) -> Transcriber:
    """Return the way in which answers come; callbacks are taken as long as the stack is open."""
    url = flags["callback"]
    if url is None:
        return transcribe_whole
    from deepgram_async.callbacks import CallbackAuth, CallbackInbox, CallbackServer

    inbox = CallbackInbox(CallbackAuth.new())
    try:
        transcriber = callback_transcriber(inbox, url)
    except ValueError as error:
        raise click.UsageError(f"--callback: {error}") from None
    port = flags["callback_port"]
    try:
        await stack.enter_async_context(CallbackServer(inbox, port=port))
    except OSError as error:
        raise click.UsageError(f"--callback-port {port}: {error.strerror}") from None
    return transcriber
