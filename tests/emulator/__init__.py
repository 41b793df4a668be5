"""Tests of the local Deepgram."""
