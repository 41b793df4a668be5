"""What the service may send instead of the JSON that was expected."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["UNDECODABLE"]

UNDECODABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: no such JSON, bytes that are no UTF-8, values nested without end."""
