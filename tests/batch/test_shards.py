import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from deepgram_async.batch import BytesItem, FileItem, Item, Shard, UrlItem
from deepgram_async.errors import ConfigurationError


def items(count: int) -> list[FileItem]:
    return [FileItem(f"calls/{number}.wav") for number in range(count)]


@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_every_item_belongs_to_exactly_one_shard(count: int) -> None:
    shards = [Shard(index, count) for index in range(count)]
    for item in items(300):
        assert sum(shard.holds(item) for shard in shards) == 1


def test_shards_are_about_equally_large() -> None:
    shards = [Shard(index, 4) for index in range(4)]
    sizes = Counter(shard for item in items(4000) for shard in shards if shard.holds(item))
    assert all(900 < size < 1100 for size in sizes.values())


def test_another_process_finds_the_same_shard() -> None:
    program = (
        "from deepgram_async.batch import FileItem, Shard\n"
        "held = [n for n in range(50) if Shard(1, 3).holds(FileItem(f'calls/{n}.wav'))]\n"
        "print(held)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    here = [n for n, item in enumerate(items(50)) if Shard(1, 3).holds(item)]
    assert done.stdout.strip() == str(here)


async def test_a_shard_takes_its_items_from_any_kind_of_sources() -> None:
    async def some() -> AsyncIterator[str | bytes]:
        for number in range(20):
            yield f"https://example.com/{number}.wav"
        yield b"audio"

    found = list[Item]()
    for index in range(3):
        found += [item async for item in Shard(index, 3).of(some())]
    everything: list[Item] = [UrlItem(f"https://example.com/{n}.wav") for n in range(20)]
    everything.append(BytesItem(b"audio"))
    assert sorted(item.name for item in found) == sorted(item.name for item in everything)


@pytest.mark.parametrize(
    ("environ", "shard"),
    [
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "8"}, Shard(2, 8)),
        (
            {"SLURM_ARRAY_TASK_ID": "8", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "8",
             "SLURM_ARRAY_TASK_COUNT": "8"},
            Shard(7, 8),
        ),
        (
            {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "7",
             "SLURM_ARRAY_TASK_STEP": "3", "SLURM_ARRAY_TASK_COUNT": "3"},
            Shard(2, 3),
        ),
    ],
)  # fmt: skip
def test_an_array_job_tells_its_shard(environ: dict[str, str], shard: Shard) -> None:
    assert Shard.from_environment(environ) == Shard.parse("auto", environ) == shard


def test_a_count_of_nothing_is_not_taken_for_none() -> None:
    environ = {"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "8"}
    with pytest.raises(ConfigurationError, match="0 of 0"):
        Shard.parse("auto/0", environ)


def test_kubernetes_tells_the_index_and_is_told_the_count() -> None:
    environ = {"JOB_COMPLETION_INDEX": "3"}
    assert Shard.parse("auto/8", environ) == Shard(3, 8)
    with pytest.raises(ConfigurationError, match="auto/8"):
        Shard.from_environment(environ)


def test_a_slurm_array_with_gaps_is_told_the_count() -> None:
    environ = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MIN": "1",
               "SLURM_ARRAY_TASK_MAX": "9", "SLURM_ARRAY_TASK_COUNT": "4"}  # fmt: skip
    with pytest.raises(ConfigurationError, match="gaps"):
        Shard.from_environment(environ)
    # A part that is run again alone keeps its place.
    assert Shard.parse("auto/8", environ) == Shard(3, 8)


@pytest.mark.parametrize(
    "text", ["", "1", "8/8", "-1/8", "a/8", "1/0", "1/2/3", "auto/x", "auto", "auto/8"]
)
def test_what_names_no_shard_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Shard.parse(text, {})


def test_a_variable_that_is_no_number_is_named() -> None:
    with pytest.raises(ConfigurationError, match="JOB_COMPLETION_INDEX"):
        Shard.parse("auto/2", {"JOB_COMPLETION_INDEX": "first"})


def test_a_shard_is_written_as_it_is_read() -> None:
    assert Shard.parse(str(Shard(2, 8))) == Shard(2, 8)
