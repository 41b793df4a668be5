"""The command that lists sound devices, and the flag that chooses their library."""

import asyncio
from collections.abc import Callable
from typing import TypeVar, get_args

import click

from deepgram_async.audio import AudioDevice, SoundBackend, input_devices, output_devices
from deepgram_async.cli._output import print_json, print_table

__all__ = ["devices", "sound_flag"]

_Command = TypeVar("_Command", bound=Callable[..., object])


def sound_flag(command: _Command) -> _Command:
    """Add the flag that chooses the library for sound."""
    return click.option(
        "--sound",
        type=click.Choice(get_args(SoundBackend)),
        help="Library for sound; null is silence. Default: the one that is installed.",
    )(command)


@click.command()
@sound_flag
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of columns.")
def devices(sound: SoundBackend | None, as_json: bool) -> None:
    """List the microphones and speakers of this machine.

    Other commands take an id, a name, or a part of a name that no other device has.
    """

    async def find() -> dict[str, list[AudioDevice]]:
        return {
            "input": await input_devices(backend=sound),
            "output": await output_devices(backend=sound),
        }

    found = [(kind, device) for kind, of_kind in asyncio.run(find()).items() for device in of_kind]
    if as_json:
        print_json(
            [
                {
                    "kind": kind,
                    "name": device.name,
                    "id": device.id,
                    "is_default": device.is_default,
                }
                for kind, device in found
            ]
        )
        return
    print_table(
        ["kind", "name", "id", "default"],
        [
            (kind, device.name, device.id, "yes" if device.is_default else "")
            for kind, device in found
        ],
    )
