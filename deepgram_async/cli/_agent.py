"""The command that converses with a voice agent."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, NamedTuple, Unpack

import click

from deepgram_async import AgentStream, DeepgramSession
from deepgram_async.audio import Microphone, SoundBackend, Speaker, piped
from deepgram_async.cli._agent_settings import INPUT_RATE, OUTPUT_RATE, SettingsFlags, settings_of
from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._devices import sound_flag
from deepgram_async.cli._interrupts import on_interrupt
from deepgram_async.cli._options import emulator_flag
from deepgram_async.cli._output import printable, warn
from deepgram_async.cli._texts import open_stdin
from deepgram_async.cli._troubles import trouble_of
from deepgram_async.cli._values import complete_models
from deepgram_async.errors import AudioDeviceError, MissingDependencyError
from deepgram_async.models import agent as messages
from deepgram_async.models.events import Malformed, Reconnected, Reconnecting, Stalled, Unknown

__all__ = ["agent"]

# How long an answer may take to typed words, until the next ones are sent.
_ANSWER_S: Final = 60.0
_NO_FUNCTION: Final = "This function is not available here."


class _Flags(SettingsFlags):
    text: bool
    microphone: str | None
    speaker: str | None
    sound: SoundBackend | None
    as_json: bool
    emulator: bool


@click.command()
@click.option("--text", is_flag=True, help="Type instead of speaking, and read the answers.")
@click.option("--settings", "file", metavar="FILE", help="Settings of the agent, in JSON or TOML.")
@click.option("--id", "agent_id", metavar="ID", help="An agent that is stored with the service.")
@click.option("--prompt", metavar="TEXT", help="Who the agent is and what it shall do.")
@click.option("--greeting", metavar="TEXT", help="What it says first.")
@click.option(
    "--voice", metavar="NAME", shell_complete=complete_models, help="The voice it speaks with."
)
@click.option(
    "--think",
    metavar="PROVIDER/MODEL",
    help="Language model. Default: that of the file, or open_ai/gpt-4o-mini.",
)
@click.option("--microphone", metavar="NAME", help="Microphone; see the command devices.")
@click.option("--speaker", metavar="NAME", help="Speaker; see the command devices.")
@sound_flag
@click.option("--json", "as_json", is_flag=True, help="Print every message as a line of JSON.")
@emulator_flag
@click.pass_obj
def agent(connection: Connection, **flags: Unpack[_Flags]) -> None:
    """Talk to a voice agent.

    It hears the microphone and answers through the speaker, until Ctrl-C; use headphones, or it
    hears itself. Without a microphone, or with --text, it answers to typed lines, until their end.
    """
    settings = settings_of(flags)

    async def work(session: DeepgramSession) -> None:
        async with AsyncExitStack() as stack:
            sound = None if flags["text"] else await _open_sound(stack, flags)
            agent = await stack.enter_async_context(session.agent.converse(settings))
            await _Conversation(
                agent, sound, greets=_greets(settings), as_json=flags["as_json"]
            ).run()

    call(connection, work, emulator=flags["emulator"])


class _Sound(NamedTuple):
    microphone: Microphone
    speaker: Speaker


async def _open_sound(stack: AsyncExitStack, flags: _Flags) -> _Sound | None:
    """Open microphone and speaker; without them it is typed, unless one was asked for."""
    microphone = Microphone(
        sample_rate=INPUT_RATE, device=flags["microphone"], chunk_ms=80.0, backend=flags["sound"]
    )
    speaker = Speaker(sample_rate=OUTPUT_RATE, device=flags["speaker"], backend=flags["sound"])
    try:
        await stack.enter_async_context(microphone)
        await stack.enter_async_context(speaker)
    except (AudioDeviceError, MissingDependencyError) as error:
        if flags["microphone"] or flags["speaker"] or flags["sound"]:
            raise
        warn(f"no sound, so type instead: {error}")
        return None
    click.echo(
        f"Listening to {microphone.device_name}, speaking through {speaker.device_name}. "
        "Ctrl-C ends it.",
        err=True,
    )
    return _Sound(microphone, speaker)


class _Conversation:
    """One conversation, until somebody ends it."""

    def __init__(
        self, agent: AgentStream, sound: _Sound | None, *, greets: bool, as_json: bool
    ) -> None:
        self._agent = agent
        self._greets = greets
        self._sound = sound
        self._as_json = as_json
        # What was typed on a terminal stands there already.
        self._shows_user = sound is not None or not sys.stdin.isatty()
        self._has_answered = False
        self._is_answered = asyncio.Event()

    async def run(self) -> None:
        """Listen and speak until the user ends it, or the connection does."""
        ended = asyncio.Event()
        with on_interrupt(ended.set):
            tasks: set[asyncio.Task[Any]] = {
                asyncio.create_task(self._show_all()),
                asyncio.create_task(self._talk()),
                asyncio.create_task(ended.wait()),
            }
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                task.result()
        if self._sound is not None:
            self._sound.speaker.clear()

    async def _talk(self) -> None:
        if self._sound is not None:
            self._agent.start(self._sound.microphone)
            await asyncio.Event().wait()
        # Who types sees when it is his turn; lines of a pipe wait for the answers.
        must_wait = not sys.stdin.isatty()
        if must_wait and self._greets:
            await self._answer()
        async for line in _typed_lines():
            self._has_answered = False
            self._is_answered.clear()
            await self._agent.inject_user_message(line)
            if must_wait:
                await self._answer()

    async def _answer(self) -> None:
        """Return when the agent has said something, to its end."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._is_answered.wait()
        except TimeoutError:
            raise click.ClickException(f"the agent has not answered for {_ANSWER_S:g} s") from None

    async def _show_all(self) -> None:
        async for event in self._agent:
            await self._show(event)

    async def _show(self, event: messages.AgentEvent) -> None:
        match event:
            case messages.Audio():
                if self._sound is not None:
                    await self._sound.speaker.play(event.data)
                return
            case messages.UserStartedSpeaking():
                if self._sound is not None:
                    self._sound.speaker.clear()
            case messages.ConversationText(role="assistant"):
                self._has_answered = True
            case messages.AgentAudioDone() if self._has_answered:
                self._is_answered.set()
            case messages.FunctionCallRequest():
                for function in event.functions:
                    if function.client_side:
                        warn(f"the agent calls {function.name!r}, which is not there")
                        await self._agent.answer_function_call(function.id, _NO_FUNCTION)
            case _:
                pass
        if (trouble := trouble_of(event)) is not None:
            warn(trouble)
        if self._as_json:
            self._print_json(event)
        elif isinstance(event, messages.ConversationText):
            self._print_text(event)

    def _print_text(self, said: messages.ConversationText) -> None:
        is_user = said.role == "user"
        if self._shows_user or not is_user:
            name = click.style("You:", bold=True) if is_user else click.style("Agent:", fg="cyan")
            click.echo(f"{name} {printable(said.content)}")

    def _print_json(self, event: messages.AgentEvent) -> None:
        match event:
            case Unknown():
                click.echo(event.raw)
            case messages.Audio() | Malformed() | Reconnecting() | Reconnected() | Stalled():
                pass
            case _:
                click.echo(event.to_json())


def _greets(settings: Mapping[str, Any]) -> bool:
    """Whether the agent speaks first, as far as it is known here."""
    agent = settings["agent"]
    return not isinstance(agent, str) and bool(agent.get("greeting"))


async def _typed_lines() -> AsyncGenerator[str, None]:
    """Yield what is typed, or piped, line by line, without the empty ones."""
    waiting = b""
    async for block in piped(open_stdin()):
        *lines, waiting = (waiting + block).split(b"\n")
        for line in lines:
            if text := line.decode(errors="replace").strip():
                yield text
    if text := waiting.decode(errors="replace").strip():
        yield text
