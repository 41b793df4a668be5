"""Speech to text: ``dg.listen``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Unpack

from deepgram_async._documented import takes_options
from deepgram_async._protocol import rules_flux, rules_listen
from deepgram_async._protocol.listen_v1 import ListenV1Core
from deepgram_async._protocol.listen_v2 import ListenV2Core
from deepgram_async._protocol.long_answers import decoding_steps
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import TRANSCRIPTION_RESPONSE_S, Route
from deepgram_async._protocol.sources import AudioSource, ProgressHook
from deepgram_async._resources.connectors import connector_maker
from deepgram_async._resources.sender import Sender
from deepgram_async._stream.flux import FluxStream
from deepgram_async._stream.live import LiveStream
from deepgram_async.models.prerecorded import Accepted, Transcription
from deepgram_async.options import FluxOptions, ListenOptions, LiveOptions

__all__ = ["Listen"]

_PATH: Final = "/v1/listen"
_TRANSCRIBE: Final = Route(
    "POST",
    _PATH,
    Transcription,
    response_s=TRANSCRIPTION_RESPONSE_S,
    steps=decoding_steps,
)
_SUBMIT: Final = Route("POST", _PATH, Accepted)


class Listen:
    """Speech to text: prerecorded, live, and in turns with Flux."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @takes_options(ListenOptions)
    async def transcribe(
        self,
        source: AudioSource,
        *,
        content_type: str | None = None,
        progress: ProgressHook | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[ListenOptions],
    ) -> Transcription:
        """Return the transcript of a recording.

        The file is streamed from a thread, so memory stays flat and the event loop free. The
        service takes up to 2 GB and works for at most 10 minutes (20 with Whisper).

        Args:
            source: A path, ``bytes``, a binary file object, a plain or async iterable of
                ``bytes``, or an ``http(s)`` URL that the service fetches by itself. Iterables
                and pipes can be read once only, so a request with them is never repeated; an
                async iterable with a ``content_length`` is (`SizedAudio`).
            content_type: Media type of the audio; found out by suffix and first bytes if left out.
            progress: Called with the bytes handed to the network so far, and the total or ``None``.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: What the service shall do, listed below; ``None`` is not sent.

        Raises:
            AudioSourceError: The source is missing, empty, or of an unknown kind.
            OptionError: An option is unknown, has the wrong type, or breaks a documented rule.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
            ProtocolError: The answer could not be decoded; the bytes are in ``body``.
        """
        query = self._sender.query(options, ListenOptions, extra_query)
        if self._sender.validate:
            rules_listen.check_prerecorded(options)
        if isinstance(source, str) and _is_url(source):
            return await self._sender.send(_TRANSCRIBE, query=query, body={"url": source})
        return await self._sender.upload(
            _TRANSCRIBE, source, query=query, content_type=content_type, progress=progress
        )

    @takes_options(ListenOptions)
    async def submit(
        self,
        source: AudioSource,
        callback: str,
        *,
        callback_method: Literal["POST", "PUT"] | None = None,
        content_type: str | None = None,
        progress: ProgressHook | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[ListenOptions],
    ) -> Accepted:
        """Hand in a recording whose transcript the service sends to a URL when it is done.

        There is no way to ask for the transcript later: the callback is the only delivery. It is
        tried up to ten times, thirty seconds apart (Deepgram docs, "Callback").

        Args:
            source: As for ``transcribe``.
            callback: URL on port 80, 443, 8080 or 8443; it may carry Basic-auth credentials.
            callback_method: HTTP method of the delivery, ``POST`` if left out.
            content_type: As for ``transcribe``.
            progress: As for ``transcribe``.
            extra_query: As for ``transcribe``.
            **options: What the service shall do, listed below; ``None`` is not sent.

        Raises:
            AudioSourceError: The source is missing, empty, or of an unknown kind.
            OptionError: An option is unknown, has the wrong type, or breaks a documented rule.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
        """
        extra: dict[str, QueryValue] = {"callback": callback}
        if callback_method is not None:
            extra["callback_method"] = callback_method
        query = self._sender.query(options, ListenOptions, extra | dict(extra_query or {}))
        if self._sender.validate:
            rules_listen.check_prerecorded(options)
        if isinstance(source, str) and _is_url(source):
            return await self._sender.send(_SUBMIT, query=query, body={"url": source})
        return await self._sender.upload(
            _SUBMIT, source, query=query, content_type=content_type, progress=progress
        )

    @takes_options(LiveOptions)
    def live(
        self,
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[LiveOptions],
    ) -> LiveStream:
        """Return a live transcription; ``async with`` connects it.

        Raw audio needs ``encoding`` and ``sample_rate``; a container such as WAV or Ogg needs
        neither.

        Args:
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: What the service shall do, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, has the wrong type, or breaks a documented rule.
        """
        connector = connector_maker(
            self._sender, ListenV1Core, LiveOptions, rules_listen.check_live, extra_query
        )
        return self._sender.track(LiveStream(connector, options, self._sender.stream_settings))

    @takes_options(FluxOptions)
    def flux(
        self,
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[FluxOptions],
    ) -> FluxStream:
        """Return a conversation with Flux, which hears turns; ``async with`` connects it.

        The audio is mono. Raw audio needs ``encoding`` and ``sample_rate``; a container such as
        WAV or Ogg needs neither.

        Args:
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: What the service shall do, listed below; ``None`` is not sent. ``model`` is
                always needed.

        Raises:
            OptionError: An option is unknown, has the wrong type, or breaks a documented rule.
        """
        connector = connector_maker(
            self._sender, ListenV2Core, FluxOptions, rules_flux.check, extra_query
        )
        stream = FluxStream(
            connector, options, self._sender.stream_settings, validate=self._sender.validate
        )
        return self._sender.track(stream)


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))
