"""Ask a voice agent a question. It may call a function of this program; its speech goes to a file.

    python examples/agent.py "What is the weather in Oslo?" answer.raw

The file has 16 bit samples at 24 kHz: play it with `ffplay -f s16le -ar 24000 answer.raw`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Literal

from deepgram_async import DeepgramSession, Tools
from deepgram_async.models.agent import AgentAudioDone, Audio, ConversationText
from deepgram_async.models.agent_settings import Agent, OpenAiThinkProvider, Settings, Think

tools = Tools()


@tools.tool
async def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """Return the weather of a city."""
    await asyncio.sleep(0.1)  # here a real program asks somebody
    return f"It is sunny in {city}, at {20 if unit == 'celsius' else 68} degrees {unit}."


SETTINGS = Settings(
    agent=Agent(
        think=Think(
            provider=OpenAiThinkProvider(model="gpt-4o-mini"),
            prompt="Answer in one short sentence.",
        )
    )
)


async def ask(question: str) -> bytes:
    """Print what is said and return the speech of the agent."""
    speech = bytearray()
    async with (
        DeepgramSession() as dg,
        dg.agent.converse(SETTINGS, tools=tools) as agent,
    ):
        await agent.inject_user_message(question)
        async for event in agent:
            match event:
                case ConversationText():
                    print(f"{event.role}: {event.content}")
                case Audio():
                    speech += event.data
                case AgentAudioDone():
                    break
                case _:
                    pass
    return bytes(speech)


def main() -> None:
    """Ask the question of the command line."""
    question, file = sys.argv[1:]
    Path(file).write_bytes(asyncio.run(ask(question)))


if __name__ == "__main__":
    main()
