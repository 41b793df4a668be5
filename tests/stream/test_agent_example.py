import runpy
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection

from tests.support.agent import Peer, call, request
from tests.support.servers import websocket_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "agent.py"


async def test_the_example_asks_a_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def serve(connection: ServerConnection) -> None:
        peer = Peer(connection)
        await peer.greet()
        asked = await peer.hear("InjectUserMessage")
        await peer.say("ConversationText", role="user", content=asked["content"])
        await peer.send(request(call("c1", "get_weather", '{"city":"Oslo"}')))
        answer = await peer.hear("FunctionCallResponse")
        await peer.say("ConversationText", role="assistant", content=answer["content"])
        await peer.speak(b"\1\2", b"\3\4")
        await peer.say("AgentAudioDone")
        await peer.listen()

    async with websocket_server(serve) as url:
        monkeypatch.setenv("DEEPGRAM_API_KEY", "any")
        monkeypatch.setenv("DEEPGRAM_BASE_URL", url)
        ask = runpy.run_path(str(EXAMPLE))["ask"]
        speech = await ask("What is the weather in Oslo?")

    assert capsys.readouterr().out == (
        "user: What is the weather in Oslo?\n"
        "assistant: It is sunny in Oslo, at 20 degrees celsius.\n"
    )
    assert speech == b"\1\2\3\4"
