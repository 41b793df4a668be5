"""The emulator is steered by programs of this machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .helpers import serving, silence, wav

if TYPE_CHECKING:
    from .helpers import Client

RECORDING = wav(silence(1.0))


def path(client: Client, name: str) -> str:
    return f"{client.emulator.base_url}/_emulator/{name}"


async def test_faults_are_planned_listed_and_cleared() -> None:
    async with serving() as client:
        url = path(client, "faults")
        fault = {"kind": "answer", "status": 429, "times": None}
        async with client.http.post(url, json=fault) as response:
            (listed,) = (await response.json())["faults"]
        assert {name: listed[name] for name in fault} == fault
        assert (await client.post(RECORDING))[0] == 429
        async with client.http.delete(url) as response:
            assert await response.json() == {"faults": []}
        assert (await client.post(RECORDING))[0] == 200
        async with client.http.get(url) as response:
            assert await response.json() == {"faults": []}


async def test_limits_are_changed() -> None:
    async with serving(max_streams=5) as client:
        url = path(client, "limits")
        async with client.http.get(url) as response:
            assert await response.json() == {"max_requests": None, "max_streams": 5}
        async with client.http.put(url, json={"max_requests": 0}) as response:
            assert await response.json() == {"max_requests": 0, "max_streams": None}
        assert (await client.post(RECORDING))[0] == 429


@pytest.mark.parametrize("body", [{"kind": "explode"}, {"kind": "slow", "bytes_per_s": 0}, [], 1])
async def test_a_fault_that_cannot_be_is_refused(body: Any) -> None:
    async with serving() as client:
        async with client.http.post(path(client, "faults"), json=body) as response:
            assert response.status == 400
        async with client.http.put(path(client, "limits"), json={"colour": 1}) as response:
            assert response.status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        # A name of somebody else's that was made to point here.
        {"Host": "rebound.example.com"},
        {"Host": "[nonsense"},
    ],
)
async def test_pages_of_other_sites_are_refused(headers: dict[str, str]) -> None:
    async with serving() as client:
        fault = {"kind": "answer"}
        url = path(client, "faults")
        async with client.http.post(url, json=fault, headers=headers) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers
        assert (await client.post(RECORDING))[0] == 200


async def test_a_page_of_its_own_is_served() -> None:
    async with serving() as client:
        headers = {"Origin": client.emulator.base_url, "Sec-Fetch-Site": "same-origin"}
        async with client.http.get(path(client, "faults"), headers=headers) as response:
            assert response.status == 200
