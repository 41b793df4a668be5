"""Credentials for container images, under both path names."""

import pytest

from deepgram_async.errors import NotFoundError, OptionError
from deepgram_async.models.manage_self_hosted import CredentialsList, OwnedCredentials
from tests.support import management as answers
from tests.support.wire import Operation, assert_on_the_wire, service

PATH = "/v1/projects/p-1/self-hosted/distribution/credentials"
OPERATIONS = {
    "list": Operation(
        lambda dg: dg.self_hosted.list(),
        "GET",
        PATH,
        CredentialsList,
        answers.CREDENTIALS_LIST,
    ),
    "create": Operation(
        lambda dg: dg.self_hosted.create(
            comment="for the cluster",
            scopes=["self-hosted:product:api", "self-hosted:product:engine"],
            provider="quay",
        ),
        "POST",
        PATH,
        OwnedCredentials,
        answers.CREDENTIALS,
        query="scopes=self-hosted:product:api&scopes=self-hosted:product:engine&provider=quay",
        body={"comment": "for the cluster"},
    ),
    "create with defaults": Operation(
        lambda dg: dg.self_hosted.create(),
        "POST",
        PATH,
        OwnedCredentials,
        answers.CREDENTIALS,
        body={},
    ),
    "get": Operation(
        lambda dg: dg.self_hosted.get("d-1"),
        "GET",
        f"{PATH}/d-1",
        OwnedCredentials,
        answers.CREDENTIALS,
    ),
    "delete": Operation(
        lambda dg: dg.self_hosted.delete("d-1"),
        "DELETE",
        f"{PATH}/d-1",
        OwnedCredentials,
        answers.CREDENTIALS,
    ),
    "the older list": Operation(
        lambda dg: dg.onprem.list("p-2"),
        "GET",
        "/v1/projects/p-2/onprem/distribution/credentials",
        CredentialsList,
        answers.CREDENTIALS_LIST,
    ),
    "the older delete": Operation(
        lambda dg: dg.onprem.delete("d-1", project_id="p-2"),
        "DELETE",
        "/v1/projects/p-2/onprem/distribution/credentials/d-1",
        OwnedCredentials,
        answers.CREDENTIALS,
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_a_call_is_what_the_reference_says(name: str) -> None:
    await assert_on_the_wire(OPERATIONS[name])


async def test_an_id_that_names_something_else_is_refused_before_the_request() -> None:
    async with service({}) as own, own.session() as dg:
        with pytest.raises(OptionError, match="distribution_credentials_id"):
            await dg.self_hosted.delete("..")
    assert own.received == []


async def test_credentials_that_are_not_there_are_told() -> None:
    async with service({"err_msg": "Not found."}, status=404) as own, own.session() as dg:
        with pytest.raises(NotFoundError, match="self-hosted/distribution"):
            await dg.self_hosted.get("d-1")
