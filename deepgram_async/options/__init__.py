"""Query options of the service, and options of transcripts, as keyword arguments.

Each key is documented where it stands; what is left out is left to the service's default. An option
that repeats takes one string or a sequence of strings.
"""

from typing import TYPE_CHECKING

from deepgram_async._lazy import lazy_names as _lazy_names

if TYPE_CHECKING:
    from deepgram_async.options._account import (
        BillingBreakdownOptions,
        BillingGrouping,
        Deployment,
        Endpoint,
        Method,
        ProductScope,
        RequestsOptions,
        UsageBreakdownOptions,
        UsageGrouping,
        UsageOptions,
    )
    from deepgram_async.options._speech import (
        Encoding,
        FluxEncoding,
        FluxModel,
        FluxOptions,
        IntelligenceOptions,
        ListenModel,
        ListenOptions,
        LiveOptions,
        ReadOptions,
        Redaction,
    )
    from deepgram_async.options._transcript import TranscriptOptions
    from deepgram_async.options._voice import (
        FluxSpeakLiveOptions,
        FluxSpeakOptions,
        SpeakContainer,
        SpeakEncoding,
        SpeakLiveOptions,
        SpeakOptions,
        SpeakStreamEncoding,
    )
else:  # a type checker would take any name to exist
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "_account": (
                "BillingBreakdownOptions",
                "BillingGrouping",
                "Deployment",
                "Endpoint",
                "Method",
                "ProductScope",
                "RequestsOptions",
                "UsageBreakdownOptions",
                "UsageGrouping",
                "UsageOptions",
            ),
            "_speech": (
                "Encoding",
                "FluxEncoding",
                "FluxModel",
                "FluxOptions",
                "IntelligenceOptions",
                "ListenModel",
                "ListenOptions",
                "LiveOptions",
                "ReadOptions",
                "Redaction",
            ),
            "_transcript": ("TranscriptOptions",),
            "_voice": (
                "FluxSpeakLiveOptions",
                "FluxSpeakOptions",
                "SpeakContainer",
                "SpeakEncoding",
                "SpeakLiveOptions",
                "SpeakOptions",
                "SpeakStreamEncoding",
            ),
        },
    )

__all__ = [
    "BillingBreakdownOptions",
    "BillingGrouping",
    "Deployment",
    "Encoding",
    "Endpoint",
    "FluxEncoding",
    "FluxModel",
    "FluxOptions",
    "FluxSpeakLiveOptions",
    "FluxSpeakOptions",
    "IntelligenceOptions",
    "ListenModel",
    "ListenOptions",
    "LiveOptions",
    "Method",
    "ProductScope",
    "ReadOptions",
    "Redaction",
    "RequestsOptions",
    "SpeakContainer",
    "SpeakEncoding",
    "SpeakLiveOptions",
    "SpeakOptions",
    "SpeakStreamEncoding",
    "TranscriptOptions",
    "UsageBreakdownOptions",
    "UsageGrouping",
    "UsageOptions",
]
