"""The voice agent: its settings, who thinks for it, and the socket on which it talks."""
