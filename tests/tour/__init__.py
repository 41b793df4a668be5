"""Deepgram's own JavaScript SDK, led through the emulator: `python -m tests.tour`.

It is no test of the suite, because it needs Node and npm and fetches a package.
"""
