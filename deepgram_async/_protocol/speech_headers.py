"""What the headers of a spoken answer tell."""

from __future__ import annotations

from collections.abc import Mapping

from deepgram_async.models.speak import SpeechInfo

__all__ = ["speech_info"]


def speech_info(headers: Mapping[str, str]) -> SpeechInfo:
    """Return the account in the headers of an answer, whose names are in lower case.

    What is missing or unreadable is ``None``: the audio behind the headers counts more. Older
    servers write ``x-dg-`` where newer ones write ``dg-``.
    """

    def text(name: str) -> str | None:
        return headers.get(f"dg-{name}", headers.get(f"x-dg-{name}"))

    def number(name: str) -> int | None:
        value = text(name)
        return int(value) if value is not None and value.isascii() and value.isdigit() else None

    def several(name: str) -> list[str]:
        parts = (part.strip() for part in (text(name) or "").split(","))
        return [part for part in parts if part]

    return SpeechInfo(
        content_type=headers.get("content-type"),
        request_id=text("request-id"),
        model_name=text("model-name"),
        model_uuid=text("model-uuid"),
        additional_model_uuids=several("additional-model-uuids"),
        characters=number("char-count"),
        project_id=text("project-id"),
        pronunciations_applied=number("pronunciations-applied"),
        breaks_applied=number("breaks-applied"),
        pronunciation_warnings=number("pronunciation-warnings"),
        warnings=several("warnings"),
        date=headers.get("date"),
        transfer_encoding=headers.get("transfer-encoding"),
    )
