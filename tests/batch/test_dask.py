import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from deepgram_async.batch import DaskGate, OutcomeRow
from deepgram_async.errors import InvalidStateError
from tests.batch.dask_job import ITEMS, LIMIT
from tests.support.batches import batch_service

# Leases of a killed worker end within nine seconds, not forty.
SETTINGS = {
    "DASK_DISTRIBUTED__SCHEDULER__LOCKS__LEASE_TIMEOUT": "8s",
    "DASK_DISTRIBUTED__SCHEDULER__LOCKS__LEASE_VALIDATION_INTERVAL": "1s",
    "DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON__PYTHONDONTWRITEBYTECODE": "1",
}


async def test_every_item_has_one_row_though_a_worker_is_killed_in_mid_job() -> None:
    async with batch_service() as service, asyncio.timeout(120):
        service.limit, service.takes_s = LIMIT, 0.1
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.batch.dask_job",
            service.url,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | SETTINGS,
        )
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, err.decode()
    told: dict[str, Any] = json.loads(out)
    assert told["chunks_of_the_killed"] >= 1
    rows: list[OutcomeRow] = told["killed"]
    assert sorted(row["name"] for row in rows) == sorted(f"item {n}" for n in range(ITEMS))
    assert {row["status"] for row in rows} == {"done"}
    # One limit was kept by all workers.
    assert service.refused == 0
    assert 2 <= service.most <= LIMIT
    # What the cluster cannot do is told in the rows.
    assert [row["status"] for row in told["broken"]] == ["failed"] * 5
    assert {row["error"] for row in told["broken"]} == {"ZeroDivisionError"}
    # A client that blocks is waited for in a thread.
    assert [row["name"] for row in told["blocking"]] == [f"item {n}" for n in range(5)]
    assert told["left"]["status"] == "done"


async def test_a_gate_needs_a_cluster() -> None:
    with pytest.raises(InvalidStateError, match="cluster"):
        await DaskGate().__aenter__()
    with pytest.raises(InvalidStateError, match="not open"):
        async with DaskGate().slot():
            pass
