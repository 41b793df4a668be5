"""The command that lists models."""

import click

from deepgram_async.cli._connection import Connection, call
from deepgram_async.cli._output import print_json, print_table

__all__ = ["models"]


@click.command()
@click.option("--stt", "only", flag_value="stt", help="Only models that transcribe.")
@click.option("--tts", "only", flag_value="tts", help="Only voices.")
@click.option("-l", "--language", metavar="TAG", help="Only those that know this language.")
@click.option("--outdated", is_flag=True, help="Old releases, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of columns.")
@click.pass_obj
def models(
    connection: Connection, only: str | None, language: str | None, outdated: bool, as_json: bool
) -> None:
    """List speech models and voices.

    Those of one project, its own included, if --project names one. The service does not list Flux
    models.
    """
    wanted = outdated or None
    found = call(
        connection,
        lambda session: (
            session.models.list(include_outdated=wanted)
            if connection.project_id is None
            else session.projects.models.list(include_outdated=wanted)
        ),
    )
    kinds = {"stt": found.stt, "tts": found.tts}
    chosen = [
        (kind, model)
        for kind, of_kind in kinds.items()
        if only in (None, kind)
        for model in of_kind
        if language is None or _knows(model.languages, language)
    ]
    if as_json:
        print_json([{"kind": kind, **model.to_dict()} for kind, model in chosen])
        return
    print_table(
        ["name", "kind", "version", "languages", "for"],
        [
            (
                model.canonical_name or model.name,
                kind,
                model.version,
                " ".join(model.languages or ()),
                _uses(model.batch, model.streaming) if kind == "stt" else "speech",
            )
            for kind, model in chosen
        ],
    )


def _knows(languages: list[str] | None, wanted: str) -> bool:
    """Tell whether a language is there; ``en`` stands for all its regions."""
    asked = wanted.lower()
    return any(
        tag.lower() == asked or tag.lower().startswith(f"{asked}-") for tag in languages or ()
    )


def _uses(batch: bool | None, streaming: bool | None) -> str:
    return " ".join(name for name, can in (("batch", batch), ("live", streaming)) if can)
