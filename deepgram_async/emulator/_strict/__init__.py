"""Strict mode: every way in which a client leaves Deepgram's specification has a name."""
