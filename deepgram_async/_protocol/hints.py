"""What to do about a fault whose cause the documentation knows.

Each hint is found by status, by the service's code, or by a word of its message
(Deepgram docs, "Errors" and "Audio Keep Alive").
"""

from __future__ import annotations

from typing import Final

__all__ = ["for_close", "for_status"]

_BY_CODE: Final[dict[str, str]] = {
    "INVALID_JSON": "the JSON body is malformed or misses a field; the details name the place",
    "REMOTE_CONTENT_ERROR": (
        "the service could not fetch the URL: it must be reachable from the internet without a "
        "login page, or be uploaded from here instead"
    ),
    "INSUFFICIENT_PERMISSIONS": (
        "use a key with the scope or role for this call, or ask for the model to be enabled for "
        "the project"
    ),
    "PROJECT_NOT_FOUND": "the project id is wrong, deleted, or belongs to another account",
}
_BY_WORDS: Final[tuple[tuple[int, str, str], ...]] = (
    (
        400,
        "could not process the json payload",
        "the body is not JSON although its content type says so; leave content_type out for audio",
    ),
    (
        400,
        "corrupt or unsupported data",
        (
            "the bytes are not audio that the service can decode; raw audio needs encoding= and "
            "sample_rate=, anything else needs the complete file"
        ),
    ),
    (
        400,
        "no such model/language/tier",
        "the model does not exist, or does not speak this language; models.list shows all",
    ),
    (400, "keyterm limit", "pass at most 500 tokens of keyterms"),
    (400, "invalid query string", "an option has a value that the service does not know"),
    (404, "uuid parsing failed", "an id in the path is not a UUID; copy it from the console"),
)
_BY_STATUS: Final[dict[int, str]] = {
    401: "check that the key is complete, active and of this region; a temporary token lives for "
    "seconds only",
    402: "add credit to the project, or use a key of another project",
    403: "the project may not use this model or feature; also check the model's spelling",
    404: "check base_url and the ids of the call",
    405: "the model cannot be used this way: Whisper models do not stream",
    408: "the upload was too slow: use a faster line, a compressed format, or a URL",
    411: "give the source a known length: a path, bytes or a seekable file",
    413: "the service accepts up to 2 GB: extract the audio track, or split the file",
    414: "the options are too long for a URL: use fewer keyterms, search terms or replacements",
    422: "the connection broke during the upload: send the file again",
    429: "too many requests of this project at once: lower the concurrency, wait and retry",
    499: "the request was closed before the answer was ready: raise the timeout, or use submit()",
    500: "the service failed: retry, and quote the request id to Deepgram if it stays",
    502: "a gateway did not reach the service: retry in a moment",
    503: "the service is overloaded or restarting: retry in a moment",
    504: "the file takes longer than 10 minutes to process (20 with Whisper): split it, or use "
    "submit() with a callback",
}
_BY_NET_CODE: Final[dict[str, str]] = {
    "NET-0000": "the service had nothing to say in its time window: too little audio arrived, or "
    "it failed; reconnect",
    "NET-0001": "no audio and no KeepAlive arrived for ten seconds: leave keepalive on, and do not "
    "block the event loop",
    "NET-0002": "KeepAlive alone does not hold a stream open: send audio, or open it later",
    "DATA-0000": "the bytes are not the audio that was announced: check encoding=, sample_rate= "
    "and channels=, and leave encoding out for a container such as WAV or Ogg",
}
_BY_CLOSE: Final[dict[int, str]] = {
    1009: "the frame was too large: send 20 to 250 ms of audio at a time",
}


def for_status(status: int, code: str | None, message: str) -> str | None:
    """Return the advice for a refused request or handshake, or ``None``."""
    if code in _BY_CODE:
        return _BY_CODE[code]
    said = message.lower()
    for known_status, words, hint in _BY_WORDS:
        if status == known_status and words in said:
            return hint
    if 300 <= status < 400:
        return "base_url is answered by a redirect: use the address it leads to"
    return _BY_STATUS.get(status)


def for_close(code: int, net_code: str | None) -> str | None:
    """Return the advice for a stream that the service closed, or ``None``."""
    if net_code in _BY_NET_CODE:
        return _BY_NET_CODE[net_code]
    return _BY_CLOSE.get(code)
