"""Find out what a text is about: python read.py article.txt."""

import asyncio
import sys
from pathlib import Path

from deepgram_async import DeepgramSession


async def main(path: Path) -> None:
    """Print the summary, the mood and the topics of a text file."""
    text = await asyncio.to_thread(path.read_text)
    async with DeepgramSession() as dg:
        analysis = await dg.read.analyze(text, summarize=True, topics=True, sentiment=True)
    print(analysis.summary)
    sentiments = analysis.results.sentiments
    if sentiments is not None and sentiments.average is not None:
        print(f"Mood: {sentiments.average.sentiment}")
    topics = analysis.results.topics
    for segment in [] if topics is None else topics.segments:
        print("Topics:", ", ".join(topic.topic for topic in segment.topics))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
