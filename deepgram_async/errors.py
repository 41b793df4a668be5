"""Every exception that the package raises on purpose.

The classes follow what a caller will *do*, so that one ``except`` clause is one decision::

    DeepgramError
    ├── ConfigurationError             fix the program or its settings
    │   ├── CredentialsError           no usable key or token
    │   ├── OptionError                unknown option, or one of the wrong type (also a TypeError)
    │   └── MissingDependencyError     an extra is not installed (also an ImportError)
    ├── AudioSourceError               the audio handed in cannot be read
    ├── AudioDeviceError               a microphone or speaker is missing, or went away
    ├── InvalidStateError              a call that makes no sense now (also a RuntimeError)
    ├── CallbackRefusedError           what came to a callback URL is not to be trusted
    ├── ApiError                       the service answered, and refused
    │   ├── BadRequestError            400, 405: the request itself is wrong
    │   │   ├── LengthRequiredError    411
    │   │   ├── PayloadTooLargeError   413
    │   │   └── UrlTooLongError        414
    │   ├── AuthenticationError        401: the key or token is not accepted
    │   ├── PermissionDeniedError      401, 403: the key may not do this
    │   ├── PaymentRequiredError       402: out of credit
    │   ├── NotFoundError              404
    │   ├── UploadTimeoutError         408: the body arrived too slowly
    │   ├── IncompleteUploadError      422: the body did not arrive completely
    │   ├── RateLimitError             429: too many requests at once
    │   ├── RequestCancelledError      499: the service saw the caller hang up
    │   └── ServerError                500, 502, 503
    │       └── ProcessingTimeoutError 504: the work took longer than the service allows
    ├── TransportError                 no complete answer arrived
    │   ├── ConnectError               the connection was never made (also a ConnectionError)
    │   ├── ConnectionLostError        it was made, and ended unasked (also a ConnectionError)
    │   └── OperationTimeoutError      a deadline of ours passed (also a TimeoutError)
    ├── AgentError                     a voice agent gave up the conversation
    ├── ProtocolError                  the answer could not be understood
    ├── ConfigureError                 a stream goes on, without the change that was asked for
    ├── SendBufferFullError            audio came faster than the network took it
    └── SlowConsumerError              transcript events were not taken in time

A refused WebSocket handshake raises the same class as a refused REST request.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AgentError",
    "ApiError",
    "AudioDeviceError",
    "AudioSourceError",
    "AuthenticationError",
    "BadRequestError",
    "CallbackRefusedError",
    "ConfigurationError",
    "ConfigureError",
    "ConnectError",
    "ConnectionLostError",
    "CredentialsError",
    "DeepgramError",
    "IncompleteUploadError",
    "InvalidStateError",
    "LengthRequiredError",
    "MissingDependencyError",
    "NotFoundError",
    "OperationTimeoutError",
    "OptionError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "ProcessingTimeoutError",
    "ProtocolError",
    "RateLimitError",
    "RequestCancelledError",
    "SendBufferFullError",
    "ServerError",
    "SlowConsumerError",
    "TransportError",
    "UploadTimeoutError",
    "UrlTooLongError",
]


class DeepgramError(Exception):
    """Base of everything raised by this package; ``str()`` tells the story in one line.

    Attributes:
        message: What went wrong, in the words of the service where it said something.
        operation: The call, such as ``POST /v1/listen``; ``None`` before there was one.
        status: HTTP status of the answer, or ``None`` when there was no answer.
        code: The service's own code (``INVALID_AUTH``, ``TOO_MANY_REQUESTS``, ...).
        details: More words of the service about the same fault.
        request_id: The id to quote to Deepgram's support.
        attempts: How many times the request was sent; 0 when it never was.
        retryable: Whether the same call may succeed later without any change. It is wider than
            what is repeated automatically: repeating a transcription can be billed twice.
        retry_after: Seconds that the service asked to wait.
        hint: What to do about it, where the cause is known.
    """

    _retryable: ClassVar[bool] = False

    message: str
    operation: str | None
    status: int | None
    code: str | None
    details: str | None
    request_id: str | None
    attempts: int
    retryable: bool
    retry_after: float | None
    hint: str | None

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        status: int | None = None,
        code: str | None = None,
        details: str | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        retryable: bool | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.operation = operation
        self.status = status
        self.code = code
        self.details = details
        self.request_id = request_id
        self.attempts = attempts
        self.retryable = self._retryable if retryable is None else retryable
        self.retry_after = retry_after
        self.hint = hint

    def __str__(self) -> str:
        origin = " ".join(str(part) for part in (self.status, self.code) if part is not None)
        parts = (self.operation, _one_line(origin), _one_line(self.message))
        story = ": ".join(part for part in parts if part)
        if self.details:
            story += f" ({_one_line(self.details)})"
        if self.request_id:
            story += f" [request id {self.request_id}]"
        if self.attempts > 1:
            story += f" [after {self.attempts} attempts]"
        if self.hint:
            story += f" Hint: {self.hint}"
        return story

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process borders in batch jobs; keyword-only arguments travel as state.
        return _rebuild, (type(self), self.message), self.__dict__


def _one_line(text: str) -> str:
    # The words of a peer may hold line breaks, codes that steer a terminal, and broken Unicode.
    if text.isprintable():
        return text
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())


def _rebuild(kind: type[DeepgramError], message: str) -> DeepgramError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    return error


class ConfigurationError(DeepgramError):
    """The program or its settings must be changed; nothing was sent."""


class CredentialsError(ConfigurationError):
    """No usable API key or access token was given."""


class OptionError(ConfigurationError, TypeError):
    """An option is unknown, has the wrong type, or belongs to another call.

    Attributes:
        option: The name of the option.
    """

    option: str

    def __init__(self, message: str, *, option: str) -> None:
        super().__init__(message)
        self.option = option


class MissingDependencyError(ConfigurationError, ImportError):
    """A feature needs an extra of this package that is not installed; the message names it."""


class AudioSourceError(DeepgramError):
    """The audio handed in cannot be read: missing, empty, a directory, or of the wrong type."""


class AudioDeviceError(DeepgramError):
    """A microphone or speaker is missing, cannot be opened, or went away while it was used."""


class InvalidStateError(DeepgramError, RuntimeError):
    """The call is not possible in the present state, for example after closing."""


class CallbackRefusedError(DeepgramError):
    """What came to a callback URL does not show the secret, or is no answer of the service.

    ``status`` is what to answer it with.
    """


class ApiError(DeepgramError):
    """The service answered with an error status."""


class BadRequestError(ApiError):
    """The service cannot process the request as it is (400, 405)."""


class LengthRequiredError(BadRequestError):
    """The service wants to know the length of the body beforehand (411)."""


class PayloadTooLargeError(BadRequestError):
    """The body is larger than the service accepts (413)."""


class UrlTooLongError(BadRequestError):
    """The URL with its query is longer than the service accepts (414)."""


class AuthenticationError(ApiError):
    """The API key or access token is not accepted (401)."""


class PermissionDeniedError(ApiError):
    """The credentials are valid, and do not allow this (401, 403)."""


class PaymentRequiredError(ApiError):
    """The project has not enough credit (402)."""


class NotFoundError(ApiError):
    """What the path names does not exist, or is not visible with these credentials (404)."""


class UploadTimeoutError(ApiError):
    """The service gave up waiting for the request body (408)."""

    _retryable = True


class IncompleteUploadError(ApiError):
    """The connection ended before the service had the whole body (422)."""

    _retryable = True


class RateLimitError(ApiError):
    """The project has too many requests in flight (429)."""

    _retryable = True


class RequestCancelledError(ApiError):
    """The service noticed that the caller closed the request (499)."""


class ServerError(ApiError):
    """The service or a gateway in front of it failed (500, 502, 503)."""

    _retryable = True


class ProcessingTimeoutError(ServerError):
    """The processing took longer than the service allows (504); the same request fails again."""

    _retryable = False


class TransportError(DeepgramError):
    """No complete answer arrived."""


class ConnectError(TransportError, ConnectionError):
    """The connection could not be made, so nothing was sent."""

    _retryable = True


class ConnectionLostError(TransportError, ConnectionError):
    """A connection ended although nobody asked for it.

    Attributes:
        close_code: WebSocket close code; 1005 for a close without a code, 1006 for a connection
            that just broke, ``None`` for a REST request.
        close_reason: The sentence that came with the close.
        net_code: Deepgram's own code in that sentence, such as ``NET-0001`` or ``DATA-0000``.
        audio_sent_s: Seconds of audio sent before, where the audio format tells; else ``None``.
    """

    _retryable = True

    close_code: int | None
    close_reason: str
    net_code: str | None
    audio_sent_s: float | None

    def __init__(
        self,
        message: str,
        *,
        operation: str | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
        hint: str | None = None,
        close_code: int | None = None,
        close_reason: str = "",
        net_code: str | None = None,
        audio_sent_s: float | None = None,
    ) -> None:
        super().__init__(
            message,
            operation=operation,
            code=net_code,
            request_id=request_id,
            retryable=retryable,
            hint=hint,
        )
        self.close_code = close_code
        self.close_reason = close_reason
        self.net_code = net_code
        self.audio_sent_s = audio_sent_s


class OperationTimeoutError(TransportError, TimeoutError):
    """A deadline of this package passed.

    Attributes:
        phase: What was waited for: ``connect``, ``upload``, ``response`` or ``download``.
        timeout_s: The limit in seconds.
    """

    _retryable = True

    phase: str
    timeout_s: float

    def __init__(
        self,
        message: str,
        *,
        phase: str,
        timeout_s: float,
        operation: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, operation=operation, hint=hint)
        self.phase = phase
        self.timeout_s = timeout_s


class AgentError(DeepgramError):
    """A voice agent ended the conversation with an ``Error`` message; ``code`` says why.

    ``retryable`` tells whether a new conversation is worth it (Deepgram docs, "Errors &
    Warnings" of the voice agent).
    """


class ProtocolError(DeepgramError):
    """The service said something that could not be understood.

    Attributes:
        body: The answer or message as it was received. A transcription that was paid for is
            still in there.
    """

    body: bytes

    def __init__(
        self,
        message: str,
        *,
        body: bytes,
        operation: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(
            message, operation=operation, status=status, request_id=request_id, hint=hint
        )
        self.body = body


class ConfigureError(DeepgramError):
    """The service refused to change the configuration of a stream, which goes on as before."""


class SendBufferFullError(DeepgramError):
    """As much audio as may wait was waiting to be sent, and nothing of the chunk was queued.

    Only with ``when_full="fail"`` in ``StreamSettings``. The stream goes on: the same chunk may be
    handed in again later.
    """

    _retryable = True


class SlowConsumerError(DeepgramError):
    """More final results were waiting than the event buffer holds; none was dropped silently."""
