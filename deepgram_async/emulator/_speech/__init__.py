"""Text to speech: who speaks, in which form, and the two REST calls and two sockets for it."""
