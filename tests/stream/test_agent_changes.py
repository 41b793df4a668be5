import asyncio
from typing import Any

import pytest

from deepgram_async import Injection, StreamSettings
from deepgram_async.errors import (
    AgentError,
    OperationTimeoutError,
    OptionError,
)
from deepgram_async.models.agent import (
    ConversationText,
    PromptUpdated,
)
from deepgram_async.models.agent_settings import Audio as AudioSettings
from deepgram_async.models.agent_settings import (
    DeepgramListenProviderV2,
    DeepgramSpeakProvider,
    Function,
    Listen,
    Output,
    Settings,
    Speak,
    Think,
    ThinkLive,
    ThinkLiveProvider,
)
from deepgram_async.models.events import Unknown
from tests.support.agent import Peer, conversation, happens, until

QUICK = StreamSettings(confirm_timeout_s=0.2, drain_timeout_s=0.5, dead_peer_s=1.0)
CHUNK = b"\1\2" * 160


async def nothing(peer: Peer) -> None:
    """Say nothing after the beginning."""


# Changes.


async def test_changes_return_when_they_are_confirmed() -> None:
    heard: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        for change, confirmation in [
            ("UpdatePrompt", "PromptUpdated"),
            ("UpdateThink", "ThinkUpdated"),
            ("UpdateSpeak", "SpeakUpdated"),
            ("UpdateListen", "ListenUpdated"),
            ("UpdateThink_Live", "ThinkLiveUpdated"),
        ]:
            heard.append(await peer.hear(change))
            await peer.say(confirmation)

    async with conversation(script) as agent:
        await agent.update_prompt("Be brief.")
        await agent.update_think(Think(prompt="Be kind."))
        await agent.update_speak(Speak(provider=DeepgramSpeakProvider(model="aura-2-thalia-en")))
        await agent.update_listen(
            Listen(provider=DeepgramListenProviderV2(model="flux-general-en"))
        )
        await agent.update_think_live(ThinkLive())
    assert heard[0]["prompt"] == "Be brief."
    assert heard[1]["think"]["prompt"] == "Be kind."
    assert heard[2]["speak"]["provider"]["model"] == "aura-2-thalia-en"
    assert heard[3]["listen"]["provider"]["version"] == "v2"


async def test_a_change_that_is_not_confirmed_times_out() -> None:
    async with conversation(nothing, stream=QUICK) as agent:
        with pytest.raises(OperationTimeoutError, match=r"did not confirm for 0\.2 s"):
            await agent.update_prompt("Hi")


async def test_a_change_that_is_refused_ends_the_conversation() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("UpdateSpeak")
        await peer.say("Error", code="UNPARSABLE_CLIENT_MESSAGE", description="No such field.")

    async with conversation(script) as agent:
        with pytest.raises(AgentError, match="No such field"):
            await agent.update_speak({"voice": 5})
        with pytest.raises(AgentError):
            await agent.send_audio(CHUNK)


async def test_the_confirmation_of_a_cancelled_change_is_not_that_of_the_next() -> None:
    may_confirm = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.hear("UpdatePrompt")
        await peer.hear("UpdatePrompt")
        await peer.say("PromptUpdated")
        await happens(may_confirm)
        await peer.say("PromptUpdated")

    async with conversation(script) as agent:
        first = asyncio.create_task(agent.update_prompt("one"))
        await asyncio.sleep(0.05)
        first.cancel()
        second = asyncio.create_task(agent.update_prompt("two"))
        await until(agent, PromptUpdated)
        assert not second.done()
        may_confirm.set()
        async with asyncio.timeout(3):
            await second


async def test_changes_that_break_a_rule_are_refused_before_they_are_sent() -> None:
    settings = Settings(audio=AudioSettings(output=Output(encoding="mp3")))
    filler = Function(name="add", initial_agent_filler=True)
    async with conversation(nothing, settings=settings) as agent:
        with pytest.raises(OptionError, match="think_live"):
            await agent.update_think(Think(functions=[filler]))
        with pytest.raises(OptionError, match="linear16"):
            await agent.update_speak(Speak(provider=DeepgramSpeakProvider(model="flux-kit-en")))
        with pytest.raises(OptionError, match="eot_threshold"):
            await agent.update_listen(
                Listen(provider=DeepgramListenProviderV2(model="flux-general-en", eot_threshold=5))
            )
        with pytest.raises(OptionError, match="at least 3000"):
            await agent.update_think_live(
                ThinkLive(provider=ThinkLiveProvider(presence_check_interval_ms=1))
            )


# Injections.


async def test_a_user_message_starts_a_turn() -> None:
    async def script(peer: Peer) -> None:
        message = await peer.hear("InjectUserMessage")
        await peer.say("ConversationText", role="user", content=message["content"])

    async with conversation(script) as agent:
        await agent.inject_user_message("What time is it?")
        events = await until(agent, ConversationText)
    assert events[-1] == ConversationText(role="user", content="What time is it?")


async def test_an_agent_message_is_spoken() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("InjectAgentMessage")
        await peer.say("ConversationText", role="assistant", content="Something else.")
        await peer.say("ConversationText", role="user", content="Are you there?")
        await peer.say("ConversationText", role="assistant", content="Are you there?")

    async with conversation(script) as agent:
        message = "Are you  there? Hello?"
        assert await agent.inject_agent_message(message, "queue") == Injection("spoken")


async def test_an_agent_message_is_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("InjectAgentMessage")
        await peer.say("InjectionRefused", message="The user is speaking.")
        await peer.hear("InjectAgentMessage")
        await peer.say(
            "Warning",
            code="INJECT_AGENT_MESSAGE_DURING_AGENT_SPEECH",
            description="The agent is speaking.",
        )

    async with conversation(script) as agent:
        refused = await agent.inject_agent_message("Hello?")
        assert refused == Injection("refused", "The user is speaking.")
        refused = await agent.inject_agent_message("Hello?")
        assert refused == Injection("refused", "The agent is speaking.")


async def test_an_agent_message_times_out() -> None:
    async with conversation(nothing) as agent:
        outcome = await agent.inject_agent_message("Hello?", timeout_s=0.1)
        assert outcome == Injection("timed_out")


async def test_a_refusal_is_not_that_of_a_message_that_cannot_be_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("InjectAgentMessage")
        await peer.hear("InjectAgentMessage")
        await peer.say("InjectionRefused", message="Not now.")
        await peer.say("ConversationText", role="assistant", content="Fire!")

    async with conversation(script) as agent:
        urgent = asyncio.create_task(agent.inject_agent_message("Fire!", "interrupt"))
        await asyncio.sleep(0)
        assert (await agent.inject_agent_message("By the way")).outcome == "refused"
        assert (await urgent).outcome == "spoken"


async def test_a_message_in_the_agent_s_own_words_is_spoken() -> None:
    async def script(peer: Peer) -> None:
        assert (await peer.hear("InjectAgentMessage"))["is_dynamic"] is True
        await peer.say("ConversationText", role="assistant", content="Anything.")

    async with conversation(script) as agent:
        assert (await agent.inject_dynamic_message()).outcome == "spoken"


async def test_the_rest_of_the_messages_of_the_client() -> None:
    async def script(peer: Peer) -> None:
        await peer.hear("ForceEndTurn")
        assert (await peer.hear("__customToThinkProvider"))["content"] == {"x": 1}
        await peer.say("BrandNew")

    async with conversation(script) as agent:
        await agent.force_end_turn()
        await agent.send_to_think_provider({"x": 1})
        assert isinstance((await until(agent, Unknown))[-1], Unknown)
