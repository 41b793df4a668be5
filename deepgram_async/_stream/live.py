"""A live transcription as its user sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.settings import StreamSettings
from deepgram_async._protocol.timelines import ListenTimeline
from deepgram_async._stream.listening import ListeningStream
from deepgram_async._stream.resumable import ConnectorMaker
from deepgram_async.models.live import ConfigureFailure, ConfigureSuccess, Error, ListenEvent

__all__ = ["LiveStream"]


class LiveStream(ListeningStream[ListenV1Core, ListenEvent]):
    """A live transcription, made by ``dg.listen.live(...)`` and opened by ``async with``.

    It can be driven at three levels. Everything done for you::

        async with dg.listen.live(model="nova-3", interim_results=True) as live:
            async for event in live.transcribe(chunks):
                ...

    Audio in the background with ``live.start(chunks)`` and then ``async for event in live``; or
    all by hand with ``send_audio``, ``finalize``, ``keep_alive``, ``close_stream`` and
    ``async for``. One task iterates; any task may send.

    In pauses of the audio KeepAlives are sent by themselves. Leaving the ``async with`` regularly
    ends the audio, waits for the results that are still owed, and closes; those results can be
    iterated over afterwards. Leaving it with an exception closes at once.

    A connection that is lost is replaced: ``Reconnecting`` and ``Reconnected`` tell of it, what no
    final result had covered is said again, and the times run on. ``StreamSettings.reconnect``
    tells how hard that is tried.

    The iteration ends after a close that was asked for, and raises ``ConnectionLostError`` on any
    other that could not be healed: there is no silent end.
    """

    def __init__(
        self, connector: ConnectorMaker, options: Mapping[str, object], settings: StreamSettings
    ) -> None:
        def make_core(now: float, request_id: str | None) -> ListenV1Core:
            return ListenV1Core(
                options, now=now, keepalive_s=settings.keepalive_s, request_id=request_id
            )

        super().__init__(
            connector, options, make_core, ListenV1Core.is_expendable, ListenTimeline(), settings
        )

    # Public methods for sending.

    async def finalize(self, channel: int | None = None) -> None:
        """Ask for final results of all audio sent so far, of one channel or of all.

        A ``Results`` with ``from_finalize`` usually follows; it may stay out when little audio
        was waiting (Deepgram docs, "Finalize").

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        core, connection = self._ready()
        self._take_handed()
        connection.put(core.finalize(channel))

    async def keep_alive(self) -> None:
        """Send a KeepAlive now; pauses of the audio need none by hand.

        Raises:
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        core, connection = self._ready()
        connection.put(core.keep_alive())

    async def configure(
        self,
        *,
        keyterms: str | Iterable[str] | None = None,
        features: Mapping[str, bool] | None = None,
    ) -> ConfigureSuccess:
        """Change the configuration of the running stream, and return when the service has.

        The answer is an event of the iteration, too. A call that is cancelled may take effect
        nevertheless.

        Args:
            keyterms: Words to listen for from now on, instead of those so far; none for an empty
                list. Nova-3 only.
            features: Formatting to turn on or off, such as ``{"numerals": True}``.

        Raises:
            ConfigureError: The service refused; nothing has changed. ``code`` tells why.
            OptionError: An argument has the wrong type.
            OperationTimeoutError: The service did not answer in ``confirm_timeout_s``.
            ConnectionLostError: The stream has ended unasked.
            InvalidStateError: The closing message was sent, or the stream is not open.
        """
        answer = await self._configure(lambda core: core.configure(keyterms, features))
        if isinstance(answer, ConfigureFailure):
            raise self._refused(answer.code, answer.description)
        if isinstance(answer, Error):
            raise self._refused(answer.variant, answer.description)
        assert isinstance(answer, ConfigureSuccess), "the core takes nothing else for an answer"
        return answer
