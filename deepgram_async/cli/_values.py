"""What a shell may complete after some options."""

from collections.abc import Iterator
from typing import Final, get_args, get_type_hints

import click
from click.shell_completion import CompletionItem

from deepgram_async.cli._config import profile_names

__all__ = ["complete_models", "complete_params", "complete_profiles"]

# The TypedDict in `deepgram_async.options` that `--param` of a command fills.
_OPTIONS: Final = {
    "batch": "ListenOptions",
    "live": "LiveOptions",
    "read": "ReadOptions",
    "serve": "LiveOptions",
    "speak": "SpeakOptions",
    "transcribe": "ListenOptions",
    "usage": "UsageBreakdownOptions",
}


def complete_profiles(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the profiles of the configuration file that begin like this."""
    names = profile_names(context.params.get("config"))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def complete_params(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the options of the service that a command can send, with their values if known."""
    from deepgram_async import options

    kind = _OPTIONS.get(context.info_name or "")
    if kind is None:
        return []
    hints = get_type_hints(getattr(options, kind))
    name, equals, _ = incomplete.partition("=")
    if equals and name in hints:
        words = [f"{name}={value}" for value in _values(hints[name])]
    else:
        words = [f"{name}=" for name in hints]
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def complete_models(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the speech models, or the voices, that begin like this."""
    from deepgram_async.models.voices import AuraVoice, FluxVoice
    from deepgram_async.options import FluxModel, ListenModel

    if context.info_name in ("agent", "speak"):
        names = [*get_args(AuraVoice), *get_args(FluxVoice)]
    else:
        names = [*get_args(ListenModel)]
        if context.info_name == "live":
            names += get_args(FluxModel)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _values(hint: object) -> Iterator[str]:
    if hint is bool:
        yield from ("true", "false")
    for inner in get_args(hint):
        if isinstance(inner, str):
            yield inner
        else:
            yield from _values(inner)
