"""A device that somebody holds: opened once, closed as often as anybody likes."""

import asyncio
import atexit
import threading
import warnings
from collections.abc import Awaitable, Callable
from typing import Final

from deepgram_async.audio._sound import OpenDevice
from deepgram_async.audio._threads import in_daemon_thread, opened_in_daemon_thread
from deepgram_async.errors import AudioDeviceError, InvalidStateError

__all__ = ["SILENT_LIMIT_S", "DeviceHolder"]

# A device that has run calls back many times a second. None of the libraries tells in every case
# when one goes away, so this silence does.
SILENT_LIMIT_S: Final = 3.0

# Sound servers answer in milliseconds; a thread that hangs in one is left behind.
_CLOSE_LIMIT_S: Final = 5.0


class DeviceHolder:
    """Opens a device within a deadline, and sees to it that it is closed.

    Args:
        kind: What the device is, in words: ``microphone`` or ``speaker``.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._device: OpenDevice | None = None
        self._was_opened = False

    @property
    def is_open(self) -> bool:
        """Whether the device runs."""
        return self._device is not None

    @property
    def device(self) -> OpenDevice:
        """The device.

        Raises:
            InvalidStateError: It is not open.
        """
        if self._device is None:
            state = "closed" if self._was_opened else "not open: use `async with`"
            raise InvalidStateError(f"the {self._kind} is {state}")
        return self._device

    async def open(
        self,
        work: Callable[[], OpenDevice],
        runs: Callable[[], Awaitable[None]],
        *,
        timeout_s: float,
    ) -> None:
        """Open the device in a thread, and wait until it runs.

        Raises:
            AudioDeviceError: It did not open, or does not run in time.
            InvalidStateError: It was opened before.
        """
        if self._was_opened:
            raise InvalidStateError(f"a {self._kind} is opened once; make another one")
        self._was_opened = True
        try:
            async with asyncio.timeout(timeout_s):
                self._device = await opened_in_daemon_thread(work, lambda device: device.close())
                atexit.register(self._close_at_exit)
                await runs()
        except TimeoutError:
            name = self._kind if self._device is None else f"{self._kind} {self._device.name!r}"
            await self.close()
            raise AudioDeviceError(f"the {name} did not start within {timeout_s:g} s") from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the device in a thread. Cancelling the call does not keep it open."""
        device, self._device = self._device, None
        if device is not None:
            atexit.unregister(self._close_at_exit)
            try:
                async with asyncio.timeout(_CLOSE_LIMIT_S):
                    await in_daemon_thread(device.close)
            except TimeoutError:
                warnings.warn(
                    f"the {self._kind} {device.name!r} does not close",
                    ResourceWarning,
                    stacklevel=2,
                )

    def close_forgotten(self, owner: object) -> None:
        """Warn of a device that nobody closed, and close it. For ``__del__``, in any thread."""
        device, self._device = self._device, None
        if device is not None:
            atexit.unregister(self._close_at_exit)
            warnings.warn(f"{owner!r} was not closed", ResourceWarning, stacklevel=2, source=owner)
            # Garbage may be collected in the device's own thread, which closing waits for.
            threading.Thread(target=device.close, daemon=True).start()

    def _close_at_exit(self) -> None:
        # A callback into an interpreter that has ended crashes it.
        device, self._device = self._device, None
        if device is not None:
            device.close()
