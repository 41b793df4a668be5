"""The configuration file: profiles, each with a service, a key by reference, and defaults."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import click

from deepgram_async.errors import ConfigurationError

__all__ = ["NO_PROFILE", "Profile", "default_path", "profile_names", "read_profile"]

_FILE_VARIABLE: Final = "DEEPGRAM_CONFIG"
_PROFILE_VARIABLE: Final = "DEEPGRAM_PROFILE"
_DEFAULT_PROFILE: Final = "default"
_TYPES: Final[dict[str, type[str] | type[bool]]] = {
    "allow_insecure": bool,
    "api_key_env": str,
    "api_key_file": str,
    "base_url": str,
    "project_id": str,
    "region": str,
}
_READABLE_BY_OTHERS: Final = 0o044


class Profile(NamedTuple):
    """One profile; what it does not say is ``None``."""

    name: str
    defaults: Mapping[str, Mapping[str, object]]
    """Options of commands, by the name of the command."""
    allow_insecure: bool | None = None
    api_key_env: str | None = None
    api_key_file: str | None = None
    base_url: str | None = None
    project_id: str | None = None
    region: str | None = None

    def api_key(self) -> str | None:
        """Return the key that the profile refers to, or ``None`` if it refers to none.

        Raises:
            ConfigurationError: What it refers to is not there.
        """
        if self.api_key_env is not None:
            key = os.environ.get(self.api_key_env)
            if not key:
                raise ConfigurationError(
                    f"profile {self.name!r} takes its key from {self.api_key_env}, which is not set"
                )
            return key
        return None if self.api_key_file is None else self._key_of_file(Path(self.api_key_file))

    def _key_of_file(self, path: Path) -> str:
        path = path.expanduser()
        try:
            key = path.read_text().strip()
            mode = path.stat().st_mode
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigurationError(
                f"profile {self.name!r} takes its key from {path}, which cannot be read: "
                f"{getattr(exc, 'strerror', None) or 'it is no text'}"
            ) from None
        if os.name == "posix" and mode & _READABLE_BY_OTHERS:
            click.secho("Warning: ", fg="yellow", nl=False, err=True)
            click.echo(f"other users can read the key in {path}: chmod 600 {path}", err=True)
        return key


NO_PROFILE: Final = Profile("", {})


def default_path() -> Path:
    """Return where the file is looked for if nobody says otherwise."""
    return Path(click.get_app_dir("deepgram-async")) / "config.toml"


def read_profile(path: Path | None, name: str | None) -> Profile:
    """Return the profile that is asked for.

    Args:
        path: The file; that of ``DEEPGRAM_CONFIG``, or of `default_path`, if left out.
        name: The profile; that of ``DEEPGRAM_PROFILE``, of ``default_profile`` in the file, or
            ``default``, if left out.

    Raises:
        ConfigurationError: A file or profile that was named is not there, or the file is wrong.
    """
    path = path or _named_path()
    name = name or os.environ.get(_PROFILE_VARIABLE)
    if path is None:
        path = default_path()
        if not path.exists():
            if name is not None:
                raise ConfigurationError(f"there is no profile {name!r}: {path} does not exist")
            return NO_PROFILE
    config = _read(path)
    profiles = _table(path, "profiles", config.pop("profiles", {}))
    default = config.pop("default_profile", None)
    if config:
        raise ConfigurationError(f"{path}: unknown key {next(iter(config))!r}")
    wanted = name or default
    if wanted is None and _DEFAULT_PROFILE not in profiles:
        return NO_PROFILE
    wanted = wanted or _DEFAULT_PROFILE
    if not isinstance(wanted, str) or wanted not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise ConfigurationError(f"{path}: there is no profile {wanted!r}; known are {known}")
    return _profile(path, wanted, _table(path, f"profiles.{wanted}", profiles[wanted]))


def profile_names(path: Path | None) -> list[str]:
    """Return the names of the profiles, or nothing if the file is missing or wrong."""
    try:
        path = path or _named_path() or default_path()
        return list(_table(path, "profiles", _read(path).get("profiles", {})))
    except ConfigurationError:
        return []


def _named_path() -> Path | None:
    named = os.environ.get(_FILE_VARIABLE)
    return Path(named) if named else None


def _read(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"cannot read {path}: {exc.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{path}: {exc}") from None


def _profile(path: Path, name: str, table: Mapping[str, object]) -> Profile:
    if "api_key" in table:
        raise ConfigurationError(
            f"{path}: a key does not belong into profile {name!r}",
            hint="name the place of the key: api_key_file or api_key_env",
        )
    settings: dict[str, Any] = {}
    defaults: dict[str, Mapping[str, object]] = {}
    for key, value in table.items():
        kind = _TYPES.get(key)
        if kind is None:
            defaults[key] = _table(path, f"profiles.{name}.{key}", value)
        elif not isinstance(value, kind):
            what = "a text" if kind is str else "true or false"
            raise ConfigurationError(f"{path}: profiles.{name}.{key} must be {what}")
        else:
            settings[key] = value
    for one, other in (("api_key_env", "api_key_file"), ("base_url", "region")):
        if one in settings and other in settings:
            raise ConfigurationError(f"{path}: profile {name!r} has both {one} and {other}")
    return Profile(name, defaults, **settings)


def _table(path: Path, name: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path}: {name} is neither a setting nor a table")
    return cast("dict[str, object]", value)  # tables of TOML have texts for keys
