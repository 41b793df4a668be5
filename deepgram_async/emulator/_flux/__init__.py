"""Conversational recognition: who hears turns, and the socket for it."""
