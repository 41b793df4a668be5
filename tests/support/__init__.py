"""Servers on loopback that do what a test tells them."""
