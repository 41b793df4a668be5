"""The names of models that are served here, and who serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from deepgram_async.emulator._bodies import json_answer
from deepgram_async.emulator._calls import route
from deepgram_async.emulator._models import family_of, model_id_of
from deepgram_async.emulator._query import MODELS
from deepgram_async.models.voices import AuraVoice, FluxVoice

from . import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiohttp import web

    from deepgram_async.emulator._calls import Call, Endpoint
    from deepgram_async.emulator._services import Services
    from deepgram_async.emulator._wire import Json

__all__ = ["routes"]

_P: Final = "/v1/projects/{project_id}"
_FLUX: Final = ("flux-general-en", "flux-general-multi")
_AURA_VOICES: Final[tuple[str, ...]] = get_args(AuraVoice)
_FLUX_VOICES: Final[tuple[str, ...]] = get_args(FluxVoice)

_THINK_MODELS: Final = {
    "open_ai": (
        *("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1"),
        *("gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o", "gpt-4o-mini"),
    ),
    "anthropic": ("claude-3-5-haiku-latest", "claude-sonnet-4-20250514"),
    "google": ("gemini-2.5-flash", "gemini-2.0-flash", "gemini-2.0-flash-lite"),
    "groq": ("openai/gpt-oss-20b",),
}


def routes(services: Services) -> list[web.RouteDef]:
    """Return the routes of models for speech and for thought."""
    return [
        route(services, "GET", path, endpoint, product="manage", scope=scope)
        for path, endpoint, scope in (
            ("/v1/models", _listing(_public), "usage:write"),
            ("/v1/models/{model_id}", _single(_public), "usage:write"),
            (f"{_P}/models", _listing(_of_project), "project:read"),
            (f"{_P}/models/{{model_id}}", _single(_of_project), "project:read"),
            ("/v1/agent/settings/think/models", _think_models, None),
        )
    ]


Catalogue = tuple["Sequence[str]", "Sequence[str]"]


def _public(request: web.Request, call: Call) -> Catalogue:
    del request, call
    return sorted(MODELS), _AURA_VOICES


def _of_project(request: web.Request, call: Call) -> Catalogue:
    asking.project(request, call)
    return (*sorted(MODELS), *_FLUX), (*_AURA_VOICES, *_FLUX_VOICES)


def _listing(
    catalogue: Callable[[web.Request, Call], Catalogue],
) -> Endpoint:
    async def listing(request: web.Request, call: Call) -> web.Response:
        # There is one version of each, so that there are no others to include.
        asking.choice(request, "include_outdated", ("true", "false"))
        stt, tts = catalogue(request, call)
        return json_answer(
            {"stt": [_stt(name, call) for name in stt], "tts": [_tts(name) for name in tts]}
        )

    return listing


def _single(
    catalogue: Callable[[web.Request, Call], Catalogue],
) -> Endpoint:
    async def single(request: web.Request, call: Call) -> web.Response:
        stt, tts = catalogue(request, call)
        wanted = asking.path_id(request, "model_id")
        for name in stt:
            if model_id_of(name) == wanted:
                return json_answer(_stt(name, call))
        for name in tts:
            if model_id_of(name) == wanted:
                return json_answer(_tts(name))
        raise asking.not_found()

    return single


def _stt(name: str, call: Call) -> Json:
    recognizer = call.services.engine.recognizer
    is_whisper = name.startswith("whisper")
    return {
        "name": name.removeprefix(f"{family_of(name)}-"),
        "canonical_name": name,
        "architecture": family_of(name),
        "languages": sorted(recognizer.languages or ("en",)),
        # What answers here under every name.
        "version": f"{recognizer.name}-{recognizer.version}",
        "uuid": model_id_of(name),
        "batch": name not in _FLUX,
        "streaming": not is_whisper,
        "formatted_output": not is_whisper,
    }


def _tts(name: str) -> Json:
    voice, _, language = name.removeprefix(f"{family_of(name)}-").partition("-")
    return {
        "name": voice,
        "canonical_name": name,
        "architecture": family_of(name),
        "languages": [language],
        "version": "emulator",
        "uuid": model_id_of(name),
        "metadata": {"tags": [], "use_cases": []},
    }


async def _think_models(request: web.Request, call: Call) -> web.Response:
    del request, call
    return json_answer(
        {
            "models": [
                {"id": name, "name": name, "provider": provider}
                for provider, names in _THINK_MODELS.items()
                for name in names
            ]
        }
    )
