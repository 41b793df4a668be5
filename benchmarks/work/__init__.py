"""The measurements of one client, each in a process of its own."""
