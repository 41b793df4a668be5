"""Helpers for tests of code that uses this package.

    from deepgram_async.testing import Fault, FaultProxy

    async with FaultProxy(emulator.base_url) as proxy:
        dg = DeepgramSession("any-key", base_url=proxy.base_url)
        async with dg, dg.listen.live(encoding="linear16", sample_rate=16000) as live:
            await live.send_audio(chunk)
            proxy.inject(Fault("reset"))

`FaultProxy` disturbs the connections between a client and a service on this machine. It needs no
test framework.
"""

from ._fault_proxy import FaultProxy
from ._faults import Direction, Fault, FaultKind, random_faults

__all__ = ["Direction", "Fault", "FaultKind", "FaultProxy", "random_faults"]
