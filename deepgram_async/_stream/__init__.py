"""Live streams: what happens between the user's iterator and a WebSocket."""
