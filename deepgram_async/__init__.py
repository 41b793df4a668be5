"""Asyncio-first SDK for the Deepgram speech API."""
