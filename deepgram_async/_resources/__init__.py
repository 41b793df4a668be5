"""The calls of the API, grouped as Deepgram groups them."""
