"""A batch of hundreds, against a service with a limit that fails in every way."""

import random
from pathlib import Path

from deepgram_async import RetryPolicy
from deepgram_async.batch import AdaptiveGate, Batch, SqliteJournal, journal_status
from tests.support.batches import Fault, batch_service, items, split

COUNT = 140
LIMIT = 20
FAULTS: list[list[Fault]] = [
    [400],
    [500],
    [502],
    [503, 503],
    [504],
    ["reset", "reset"],
    ["garbage"],
]
PERMANENT = (400, 500, 504, "reset", "garbage")


async def test_every_item_has_one_outcome_and_the_limit_is_kept(tmp_path: Path) -> None:
    random.seed(4711)
    async with batch_service() as service, service.session() as dg:
        service.limit, service.takes_s = LIMIT, 0.01
        unlucky = random.sample(range(COUNT), COUNT // 20)
        service.faults = {
            f"item {number}".encode(): FAULTS[position % len(FAULTS)]
            for position, number in enumerate(unlucky)
        }
        async with SqliteJournal(tmp_path / "journal") as journal:
            batch = Batch(
                dg,
                items(COUNT),
                journal=journal,
                gate=AdaptiveGate(LIMIT, start=LIMIT),
                retry=RetryPolicy(attempts=4, first_delay_s=0.01),
                model="nova-3",
            )
            done, failed = await split(batch)
    expected = {body.decode() for body, faults in service.faults.items() if faults[0] in PERMANENT}
    assert {outcome.item.name for outcome in failed} == expected
    assert len({outcome.item.name for outcome in done}) == len(done) == COUNT - len(failed)
    status = journal_status(tmp_path / "journal")
    assert (status.done, status.failed, status.unfinished) == (len(done), len(failed), 0)
    assert service.most <= LIMIT
    assert service.refused == 0
    for body, count in service.received.items():
        faults = service.faults.get(body, [])
        # A connection that breaks at once may have been a stale one, which is tried again.
        most = 2 if "reset" in faults else 1
        assert count - sum(fault in (502, 503) for fault in faults) in range(1, most + 1)
