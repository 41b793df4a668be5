"""Text to speech: ``dg.speak``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from os import PathLike
from typing import Final, Literal, Unpack

from deepgram_async._documented import takes_options
from deepgram_async._protocol import rules_speak
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.requests import Route
from deepgram_async._protocol.speak_v1 import SpeakV1Core
from deepgram_async._protocol.speak_v2 import SpeakV2Core
from deepgram_async._resources.connectors import connector_maker
from deepgram_async._resources.sender import Sender
from deepgram_async._stream.speak import SpeakStream
from deepgram_async._stream.speak_flux import FluxSpeakStream
from deepgram_async._stream.speech import Speech
from deepgram_async.models.prerecorded import Accepted
from deepgram_async.models.speak import SpeechInfo
from deepgram_async.options import (
    FluxSpeakLiveOptions,
    FluxSpeakOptions,
    SpeakLiveOptions,
    SpeakOptions,
)

__all__ = ["FluxSpeak", "Speak"]

_GENERATE: Final = Route("POST", "/v1/speak", bytes)
_SUBMIT: Final = Route("POST", "/v1/speak", Accepted)
_FLUX_GENERATE: Final = Route("POST", "/v2/speak", bytes)
_FLUX_SUBMIT: Final = Route("POST", "/v2/speak", Accepted)


class Speak:
    """Text to speech with Aura voices; Flux voices are in ``flux``."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @cached_property
    def flux(self) -> FluxSpeak:
        """Text to speech with Flux voices."""
        return FluxSpeak(self._sender)

    @takes_options(SpeakOptions)
    def generate(
        self,
        text: str,
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[SpeakOptions],
    ) -> Speech:
        """Return the spoken text; ``async with`` sends the request, iterating yields the audio.

        Args:
            text: At most 2000 characters.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: How to speak, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
        """
        query = self._query(text, options, extra_query)
        return _speech(self._sender, _GENERATE, text, query, options.get("encoding"))

    @takes_options(SpeakOptions)
    async def save(
        self,
        text: str,
        path: str | PathLike[str],
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[SpeakOptions],
    ) -> SpeechInfo:
        """Write the spoken text to a file and return what is known of it.

        Args:
            text: At most 2000 characters.
            path: The file; it appears when it is complete. Its suffix has no influence.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: How to speak, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
            OSError: The file cannot be written.
        """
        async with self.generate(text, extra_query=extra_query, **options) as speech:
            return await speech.save(path)

    @takes_options(SpeakOptions)
    async def submit(
        self,
        text: str,
        callback: str,
        *,
        callback_method: Literal["POST", "PUT"] | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[SpeakOptions],
    ) -> Accepted:
        """Hand in a text whose audio the service sends to a URL when it is done.

        Args:
            text: At most 2000 characters.
            callback: URL that takes the audio.
            callback_method: HTTP method of the delivery, ``POST`` if left out.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: How to speak, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
        """
        delivery = _delivery(callback, callback_method)
        query = self._query(text, options, delivery | dict(extra_query or {}))
        return await self._sender.send(_SUBMIT, query=query, body={"text": text})

    @takes_options(SpeakLiveOptions)
    def live(
        self,
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[SpeakLiveOptions],
    ) -> SpeakStream:
        """Return a stream that speaks text while it is written; ``async with`` connects it.

        Args:
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: How to speak, listed below; ``None`` is not sent.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
        """
        connector = connector_maker(
            self._sender, SpeakV1Core, SpeakLiveOptions, rules_speak.check_live, extra_query
        )
        return self._sender.track(SpeakStream(connector, options, self._sender.stream_settings))

    def _query(
        self,
        text: str,
        options: Mapping[str, object],
        extra_query: Mapping[str, QueryValue] | None,
    ) -> str:
        query = self._sender.query(options, SpeakOptions, extra_query)
        if self._sender.validate:
            rules_speak.check_speak(text, options)
        return query


class FluxSpeak:
    """Text to speech with Flux voices."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    @takes_options(FluxSpeakOptions)
    def generate(
        self,
        text: str,
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[FluxSpeakOptions],
    ) -> Speech:
        """Return the spoken text; ``async with`` sends the request, iterating yields the audio.

        Args:
            text: The text, with pauses or pronunciations from ``deepgram_async.markup``.
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: How to speak, listed below; ``model`` is needed.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
        """
        query = self._query(text, options, extra_query)
        return _speech(self._sender, _FLUX_GENERATE, text, query, options.get("encoding"))

    @takes_options(FluxSpeakOptions)
    async def save(
        self,
        text: str,
        path: str | PathLike[str],
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[FluxSpeakOptions],
    ) -> SpeechInfo:
        """Write the spoken text to a file and return what is known of it.

        Args:
            text: As for ``generate``.
            path: The file; it appears when it is complete. Its suffix has no influence.
            extra_query: As for ``generate``.
            **options: How to speak, listed below; ``model`` is needed.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
            OSError: The file cannot be written.
        """
        async with self.generate(text, extra_query=extra_query, **options) as speech:
            return await speech.save(path)

    @takes_options(FluxSpeakOptions)
    async def submit(
        self,
        text: str,
        callback: str,
        *,
        callback_method: Literal["POST", "PUT"] | None = None,
        priority: Literal["low"] | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[FluxSpeakOptions],
    ) -> Accepted:
        """Hand in a text whose audio the service sends to a URL when it is done.

        Args:
            text: As for ``generate``.
            callback: URL that takes the audio.
            callback_method: HTTP method of the delivery, ``POST`` if left out.
            priority: ``"low"`` lets other requests go first.
            extra_query: As for ``generate``.
            **options: How to speak, listed below; ``model`` is needed.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
            ApiError: The service refused; the class tells why.
            TransportError: No complete answer arrived.
        """
        delivery = _delivery(callback, callback_method)
        if priority is not None:
            delivery["priority"] = priority
        query = self._query(text, options, delivery | dict(extra_query or {}))
        return await self._sender.send(_FLUX_SUBMIT, query=query, body={"text": text})

    @takes_options(FluxSpeakLiveOptions)
    def live(
        self,
        *,
        extra_query: Mapping[str, QueryValue] | None = None,
        **options: Unpack[FluxSpeakLiveOptions],
    ) -> FluxSpeakStream:
        """Return a stream that speaks text while it is written; ``async with`` connects it.

        Args:
            extra_query: Query keys that are newer than this release, sent as they are.
            **options: How to speak, listed below; ``model`` is needed.

        Raises:
            OptionError: An option is unknown, has the wrong type, or does not go with the others.
        """
        connector = connector_maker(
            self._sender,
            SpeakV2Core,
            FluxSpeakLiveOptions,
            rules_speak.check_flux_live,
            extra_query,
        )
        stream = FluxSpeakStream(
            connector, options, self._sender.stream_settings, validate=self._sender.validate
        )
        return self._sender.track(stream)

    def _query(
        self,
        text: str,
        options: Mapping[str, object],
        extra_query: Mapping[str, QueryValue] | None,
    ) -> str:
        query = self._sender.query(options, FluxSpeakOptions, extra_query)
        if self._sender.validate:
            rules_speak.check_flux(text, options)
        return query


def _speech(
    sender: Sender, route: Route[bytes], text: str, query: str, encoding: str | None
) -> Speech:
    open_stream = sender.opener(route, query=query, body={"text": text})
    return Speech(open_stream, sample_bytes=2 if encoding == "linear16" else 1)


def _delivery(callback: str, method: str | None) -> dict[str, QueryValue]:
    delivery: dict[str, QueryValue] = {"callback": callback}
    if method is not None:
        delivery["callback_method"] = method
    return delivery
