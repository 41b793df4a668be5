"""Where a text to be spoken has its sentences."""

from __future__ import annotations

from deepgram_async._protocol.speech_text import SentenceBuffer

__all__ = ["LONGEST_PIECE", "sentences"]

# A sentence beyond it is cut between clauses or words.
LONGEST_PIECE = 2000


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, whose sum is the text."""
    buffer = SentenceBuffer(LONGEST_PIECE)
    return [*buffer.add(text), *buffer.rest()]
