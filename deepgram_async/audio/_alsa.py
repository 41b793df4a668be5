"""The sound library of Linux, which prints what goes wrong where nobody asked it to."""

import ctypes
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

__all__ = ["quiet_alsa"]

_Handler: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


@_Handler
def _say_nothing(*_: object) -> None:
    """Take what would be printed; what failed raises an error of its own."""


@contextmanager
def quiet_alsa() -> Generator[None, None, None]:
    """Keep ALSA from writing to standard error while a device is opened, where there is ALSA."""
    try:
        set_handler = ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler
    except (OSError, AttributeError):
        yield
        return
    set_handler(_say_nothing)
    try:
        yield
    finally:
        set_handler(None)
