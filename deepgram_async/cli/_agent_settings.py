"""Who an agent is: from a file, and from flags."""

import tomllib
from pathlib import Path
from typing import Any, Final, TypedDict, cast

import click
import msgspec

from deepgram_async.cli._texts import read_text
from deepgram_async.models.agent_settings import Settings

__all__ = ["INPUT_RATE", "OUTPUT_RATE", "SettingsFlags", "settings_of"]

INPUT_RATE: Final = 16000
OUTPUT_RATE: Final = 24000
# What microphone and speaker are opened with.
_AUDIO: Final = {
    "input": {"encoding": "linear16", "sample_rate": INPUT_RATE},
    "output": {"encoding": "linear16", "sample_rate": OUTPUT_RATE, "container": "none"},
}


class SettingsFlags(TypedDict):
    """The flags that say who an agent is."""

    file: str | None
    agent_id: str | None
    prompt: str | None
    greeting: str | None
    voice: str | None
    think: str | None


def settings_of(flags: SettingsFlags) -> dict[str, Any]:
    """Return the settings of a conversation; flags win over the file.

    The formats of the audio are those of this machine, whatever the file says. Everything else in
    it is sent as it is.

    Raises:
        click.UsageError: The file cannot be read, or flags do not go with it.
    """
    settings: dict[str, Any] = {**Settings().to_dict(), **_read(flags["file"]), "audio": _AUDIO}
    if flags["agent_id"] is not None:
        settings["agent"] = flags["agent_id"]
    agent = settings["agent"]
    if not isinstance(agent, dict):
        for name in ("prompt", "greeting", "voice", "think"):
            if flags[name] is not None:
                raise click.UsageError(f"--{name} cannot change an agent that is stored")
        return settings
    changed = dict(cast("dict[str, Any]", agent))  # what is read from JSON or TOML
    if flags["greeting"] is not None:
        changed["greeting"] = flags["greeting"]
    if flags["voice"] is not None:
        # Voices of Flux are those of the second version of the service.
        version = {"version": "v2"} if flags["voice"].startswith("flux-") else {}
        provider = {"type": "deepgram", "model": flags["voice"], **version}
        changed["speak"] = {"provider": provider}
    think = _thoughts_of(flags)
    if think:
        if not isinstance(changed.get("think", {}), dict):
            raise click.UsageError("the file has several language models: change them there")
        changed["think"] = {**changed.get("think", {}), **think}
    return {**settings, "agent": changed}


def _thoughts_of(flags: SettingsFlags) -> dict[str, object]:
    think: dict[str, object] = {}
    if flags["prompt"] is not None:
        think["prompt"] = flags["prompt"]
    if flags["think"] is not None:
        kind, slash, model = flags["think"].partition("/")
        if not slash or not kind or not model:
            raise click.BadParameter("it is not of the form PROVIDER/MODEL", param_hint="--think")
        think["provider"] = {"type": kind, "model": model}
    return think


def _read(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    text = read_text(file)
    try:
        if Path(file).suffix == ".toml":
            return tomllib.loads(text)
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, tomllib.TOMLDecodeError) as exc:
        raise click.UsageError(f"{file} has no settings: {exc}") from None
