"""What is measured, and what is demanded of it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Metric(NamedTuple):
    """A figure, and its limits.

    A limit is a ratio to deepgram-sdk, or, where it is absolute, a value of ours in the unit that
    is shown. ``must`` is where a check fails, ``goal`` is where we want to be; ``None`` demands
    nothing.
    """

    name: str
    title: str
    unit: str
    scale: float
    must: float | None = None
    goal: float | None = None
    is_absolute: bool = False


class Run(NamedTuple):
    """One process, which measures some metrics.

    The names of its figures get ``suffix``, where one work has several runs. ``size`` is how much
    work there is, as the work counts it, and ``quick`` the same for a rough look.
    """

    work: str
    size: int
    quick: int
    metrics: tuple[Metric, ...]
    is_tls: bool = False
    suffix: str = ""


START: Final = "start"
"""The one work that is no measurement of a ready client, see ``benchmarks.cold``."""

RUNS: Final = (
    Run(
        START,
        1,
        1,
        (
            Metric("import", "import, session made", "ms", 1e3, 0.40, 0.27),
            Metric("import_memory", "memory of the import", "MB", 1e-6, 0.60, 0.48),
            Metric("cold", "import, a request and a stream", "ms", 1e3, 0.80, 0.65),
            Metric("cold_memory", "memory of all three", "MB", 1e-6, 0.85, 0.75),
        ),
    ),
    Run(
        "decode",
        10,
        2,
        (
            Metric("decode_small", "decode an answer of 2 kB", "µs", 1e6, 0.06, 0.037),
            Metric("decode_event", "decode a live result", "µs", 1e6, 0.05, 0.032),
            Metric("decode_large", "decode an hour of speech", "ms", 1e3, 0.06, 0.042),
            Metric("decode_held", "memory of the decoded hour", "MB", 1e-6, 0.30, 0.24),
        ),
    ),
    Run(
        "rest",
        2000,
        80,
        (
            Metric("rest_sequential", "request, one at a time", "µs", 1e6, 0.11, 0.075),
            Metric("rest_64", "request, 64 in flight", "µs", 1e6, 0.07, 0.04),
            Metric("rest_256", "request, 256 in flight", "µs", 1e6, 0.08, 0.05),
        ),
    ),
    Run(
        "connections",
        500,
        200,
        (Metric("connections", "connections for each of 100 slots", "", 1, 1.05, 1.0, True),),
        is_tls=True,
    ),
    Run(
        "large",
        10,
        3,
        (
            Metric("large", "receive an hour of speech", "ms", 1e3, 0.08, 0.05),
            Metric("large_stall", "pause of the loop, answer (wall)", "ms", 1e3, 0.12, 0.04),
        ),
    ),
    Run(
        "upload",
        100,
        20,
        (
            Metric("upload", "upload 100 MB from a file", "s/GB", 1, 0.55, 0.33),
            Metric("upload_memory", "memory of the upload", "MB", 1e-6, 8, None, True),
            Metric("upload_stall", "pause of the loop, upload (wall)", "ms", 1e3, 50, None, True),
        ),
    ),
    Run(
        "upload_bytes",
        100,
        20,
        (
            Metric("upload_bytes", "upload 100 MB of bytes", "s/GB", 1, None, 0.35),
            Metric("upload_bytes_memory", "memory of the bytes, by size", "x", 1, 1.1, None, True),
        ),
    ),
    Run(
        "batch",
        2000,
        100,
        (
            Metric("batch", "a file of 16 kB of a batch", "µs", 1e6, 0.12, 0.06),
            Metric("batch_after_50_ms", "the same, answered after 50 ms", "µs", 1e6, 0.12, 0.09),
        ),
    ),
    Run(
        "job",
        2000,
        200,
        (
            Metric("job", "a file of a job, answered after 100 ms", "µs", 1e6, 0.35, 0.25),
            Metric("job_wall", "the same (wall)", "ms", 1e3),
        ),
    ),
    Run(
        "live",
        200,
        50,
        (
            Metric("connect", "open and close a stream", "µs", 1e6, 0.45, 0.25),
            Metric("chunk", "send 20 ms of audio, flat out", "µs", 1e6, 0.50, 0.35),
            Metric("event", "send a chunk, receive a result", "µs", 1e6, 0.13, 0.07),
        ),
    ),
    Run(
        "live",
        100,
        10,
        (
            Metric("connect_tls", "open and close a stream, TLS", "µs", 1e6, 0.13, 0.065),
            Metric("chunk_tls", "send 20 ms of audio, TLS", "µs", 1e6, 0.60, 0.45),
            Metric("event_tls", "send a chunk, receive a result, TLS", "µs", 1e6),
        ),
        is_tls=True,
        suffix="_tls",
    ),
    Run(
        "paced_200",
        8,
        1,
        (
            Metric("paced_200", "one second of one of 200 streams", "ms", 1e3, 0.70, 0.45),
            Metric("paced_p50_200", "latency of 200 streams, median (wall)", "ms", 1e3, None, 0.45),
            Metric("paced_p99_200", "latency of 200 streams, 99 % (wall)", "ms", 1e3, None, 0.5),
        ),
        suffix="_200",
    ),
    Run(
        "joined_200",
        8,
        1,
        (
            Metric("paced_joined", "the same, ours joins chunks to 100 ms", "ms", 1e3),
            Metric("paced_p50_joined", "latency of these, median (wall)", "ms", 1e3),
        ),
        suffix="_joined",
    ),
    Run(
        "paced_1000",
        8,
        1,
        (
            Metric("paced_1000", "one second of one of 1000 streams", "ms", 1e3, 0.60, 0.45),
            Metric("paced_p50_1000", "latency of 1000 streams, median (wall)", "ms", 1e3),
            Metric("paced_p99_1000", "latency of 1000 streams, 99 % (wall)", "ms", 1e3),
            Metric(
                "paced_lateness_1000",
                "time of 1000 streams, by audio (wall)",
                "x",
                1,
                1.05,
                is_absolute=True,
            ),
        ),
        suffix="_1000",
    ),
    Run(
        "memory",
        300,
        100,
        (Metric("memory", "memory of a stream in use", "kB", 1e-3, 0.60, 0.40),),
    ),
    Run(
        "memory",
        150,
        20,
        (Metric("memory_tls", "memory of a stream in use, TLS", "kB", 1e-3, 0.35, 0.08),),
        is_tls=True,
        suffix="_tls",
    ),
    Run(
        "speech",
        10,
        1,
        (
            Metric("speech", "speech over HTTP", "s/GB", 1, 0.35, 0.25),
            Metric("speech_live", "4 kB of speech over a WebSocket", "µs", 1e6, 0.50, 0.30),
        ),
    ),
)

METRICS: Final = tuple(metric for run in RUNS for metric in run.metrics)
