"""What ``/v1/listen`` refuses, so that it is known before anything is sent.

Only rules that the documentation states are here, and only for models it names: a custom model may
do what its public relatives cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from deepgram_async._protocol.listening import terms
from deepgram_async.errors import OptionError
from deepgram_async.options import ListenModel

__all__ = ["check_live", "check_prerecorded"]

_PUBLIC: Final = frozenset(get_args(ListenModel)) - {"custom"}
_MOST_KEYTERM_TOKENS: Final = 500
_MOST_TOPICS: Final = 100
_HEADERLESS: Final = frozenset({"linear16", "linear32", "mulaw", "alaw"})


def check_prerecorded(options: Mapping[str, object]) -> None:
    """Refuse options of prerecorded audio that the service refuses.

    Raises:
        OptionError: A rule is broken; the message is the rule.
    """
    _check_speech(options)
    topics = _terms(options.get("custom_topic"))
    if len(topics) > _MOST_TOPICS:
        raise OptionError(
            f"at most {_MOST_TOPICS} of custom_topic are taken, not {len(topics)}",
            option="custom_topic",
        )


def check_live(options: Mapping[str, object]) -> None:
    """Refuse options of live audio that the service refuses.

    Raises:
        OptionError: A rule is broken; the message is the rule.
    """
    _check_speech(options)
    model = options.get("model")
    if isinstance(model, str) and (model == "whisper" or model.startswith("whisper-")):
        raise OptionError(
            f"{model} does not stream: Whisper is for prerecorded audio only", option="model"
        )
    if options.get("diarize_model") == "v2":
        raise OptionError("diarize_model=v2 is for prerecorded audio only", option="diarize_model")
    if options.get("utterance_end_ms") is not None and options.get("interim_results") is not True:
        raise OptionError("utterance_end_ms needs interim_results=True", option="utterance_end_ms")
    encoding = options.get("encoding")
    if encoding in _HEADERLESS and options.get("sample_rate") is None:
        raise OptionError(
            f"encoding={encoding} needs sample_rate: it has no header", option="sample_rate"
        )


def _check_speech(options: Mapping[str, object]) -> None:
    model = options.get("model")
    if isinstance(model, str) and model.startswith("flux-"):
        raise OptionError(
            f"{model} is a Flux model: use dg.listen.flux(model={model!r})", option="model"
        )
    if options.get("diarize") and options.get("diarize_model") is not None:
        raise OptionError(
            "diarize and diarize_model exclude each other: use diarize_model", option="diarize"
        )
    keyterms, keywords = _terms(options.get("keyterm")), _terms(options.get("keywords"))
    if keyterms and model in _PUBLIC and not _is_nova_3(model):
        raise OptionError(f"keyterm needs Nova-3: use keywords with {model}", option="keyterm")
    if keywords and _is_nova_3(model):
        raise OptionError(
            f"keywords is for Nova-2 and older: use keyterm with {model}", option="keywords"
        )
    # A word is one token or more, so this many words are too many by any count.
    if sum(len(term.split()) for term in keyterms) > _MOST_KEYTERM_TOKENS:
        raise OptionError(
            f"keyterm takes at most {_MOST_KEYTERM_TOKENS} tokens in all", option="keyterm"
        )


def _is_nova_3(model: object) -> bool:
    return isinstance(model, str) and (model == "nova-3" or model.startswith("nova-3-"))


def _terms(given: object) -> list[str]:
    return terms(given) or []  # type: ignore[arg-type]  # the types are checked
