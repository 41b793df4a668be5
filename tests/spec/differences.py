"""Where the package differs from the specification, and why.

``+`` is in the specification only, ``-`` in the package only. A star stands for anything. A line
that is no difference any more must go.
"""

__all__ = ["REST_ANSWERS", "REST_PARAMETERS", "SOCKET_MESSAGES", "SOCKET_OPTIONS"]

_CALLBACK = "a request with a callback has another answer, so it is the call submit()"
_NUMBER = "an integer here; the rules check the value where validation is on"
_NEWER = "published after the specification"
_RECORDED = "in recorded answers of the service"
_SDK = "in older official SDKs, which recorded it from the service"
_LEGACY = "a legacy key that the service still takes"
_RAW_AUDIO = "raw audio cannot be described without it"
_NESTED = "the specification nests one level deeper than the service"
_SHARED = "one class serves several answers, each with its own part of the fields"
_OPEN = "the specification leaves the object open, older official SDKs know its fields"

REST_PARAMETERS = {
    "+ POST /v1/speak: callback*": _CALLBACK,
    "+ POST /v2/speak: callback*": _CALLBACK,
    "+ POST /v2/speak: priority": _CALLBACK,
    "+ POST /v1/listen: callback*": _CALLBACK,
    "+ POST /v1/read: callback*": _CALLBACK,
    "+ POST /v1/listen: url": "a URL is one kind of source",
    "+ POST /v1/listen: version=latest": "any version is a string; latest is the default",
    "+ POST /v1/speak: bit_rate=*": _NUMBER,
    "+ POST /v1/speak: sample_rate=*": _NUMBER,
    "+ POST /v2/speak: bit_rate=*": _NUMBER,
    "+ POST /v2/speak: sample_rate=*": _NUMBER,
    "- POST /v1/listen: alternatives": _LEGACY,
    "- POST /v1/listen: channels": _RAW_AUDIO,
    "- POST /v1/listen: detect_topics": _LEGACY,
    "- POST /v1/listen: diarize_version": _LEGACY,
    "- POST /v1/listen: language_hint": _NEWER,
    "- POST /v1/listen: sample_rate": _RAW_AUDIO,
    "- POST /v1/listen: tier": _LEGACY,
    "- POST /v1/projects/{project_id}/keys: *": "the body has no type in the specification",
    "- POST /v2/speak: expressivity": _NEWER,
    "- POST /v2/speak: speed": _NEWER,
}

REST_ANSWERS = {
    "+ POST /v1/listen:.request_id": _CALLBACK,
    "+ POST /v1/listen:.results.*.results": _NESTED,
    "- POST /v1/listen:.results.intents.segments": _NESTED,
    "- POST /v1/listen:.results.topics.segments": _NESTED,
    "- POST /v1/listen:.metadata.diarize_info": _NEWER,
    "- POST /v1/listen:.metadata.extra": _SDK,
    "- POST /v1/listen:.metadata.warnings": _SDK,
    "- POST /v1/listen:*.language": _NEWER,
    "- POST /v1/listen:*.language_confidence": _SDK,
    "- POST /v1/listen:*.languages": _NEWER,
    "- POST /v1/listen:*.languages_hinted": _NEWER,
    "- POST /v1/listen:*.punctuated_word": _RECORDED,
    "- POST /v1/listen:*.sentiment": _SDK,
    "- POST /v1/listen:*.sentiment_score": _SDK,
    "- POST /v1/listen:*.speaker": _NEWER,
    "- POST /v1/listen:*.speaker_confidence": _NEWER,
    "- POST /v1/listen:*.translations": _SDK,
    "- POST /v1/read:.metadata.*": _NESTED,
    "- POST /v1/read:.results.*": _NESTED,
    "- GET /v1/models:.stt[].metadata": _SHARED,
    "- GET /v1/models:.tts[].*": _SHARED,
    "- GET /v1/projects/{project_id}/models:.stt[].metadata": _SHARED,
    "- GET /v1/projects/{project_id}/models:.tts[].*": _SHARED,
    "- GET /v1/projects/{project_id}/keys:.api_keys[].*": _SHARED,
    "- GET /v1/projects/{project_id}/requests*.accessor": _SDK,
    "- GET /v1/projects/{project_id}/requests*.callback.*": _OPEN,
    "- GET /v1/projects/{project_id}/requests*.response.*": _OPEN,
    "- GET /v1/projects/{project_id}/usage:.results": "older servers send it",
    "- GET /v1/projects:.projects[].mip_opt_out": _SHARED,
    "- POST /v1/projects/{project_id}/agents:.*": _SHARED,
}

SOCKET_OPTIONS = {
    "+ /v1/speak: sample_rate=*": _NUMBER,
    "+ /v2/speak: sample_rate=*": _NUMBER,
    "- /v1/listen: alternatives": _LEGACY,
    "- /v1/listen: filler_words": "the service takes it, well-known clients send it",
    "- /v1/listen: language_hint": _NEWER,
    "- /v1/listen: no_delay": "the service takes it, well-known clients send it",
    "- /v1/listen: tier": _LEGACY,
    "- /v2/speak: expressivity": _NEWER,
    "- /v2/speak: speed": _NEWER,
}

SOCKET_MESSAGES = {
    "+ /v1/agent/converse > FunctionCallResponse.*": "named call_id; the name of the call is known",
    "- /v1/agent/converse > FunctionCallResponse.call_id": "see above",
    "- /v1/agent/converse > InjectAgentMessage.timeout_s": "not sent: how long to wait",
    "- /v1/agent/converse > Settings.agent.speak*.expressivity": _NEWER,
    "- /v1/agent/converse > Settings.agent.think*.agent_filler_*": _NEWER,
    "- /v1/agent/converse > Settings.agent.think*.defer_until_eot": _NEWER,
    "- /v1/agent/converse > Settings.agent.think*.initial_agent_filler": _NEWER,
    "- /v1/agent/converse > Settings.agent.think*.voice_prompt_opt_out": _NEWER,
    "- /v1/agent/converse > Settings.agent.think_live": _NEWER,
    "- /v1/agent/converse: ConversationText.conversational_behavior": _NEWER,
    "- /v1/agent/converse: EndOfThought": _RECORDED,
    "- /v1/agent/converse: EndOfTurn": "seen in captures of sessions with Flux",
    "- /v1/agent/converse: Error.message": _SDK,
    "- /v1/agent/converse: FrustrationDetected": _NEWER,
    "- /v1/agent/converse: FunctionCallCancelled": _NEWER,
    "- /v1/agent/converse: FunctionCallResponse.thought_signature": _SDK,
    "- /v1/agent/converse: LatencyReport.stt_latency": _NEWER,
    "- /v1/agent/converse: ThinkLiveUpdated": _NEWER,
    "- /v1/agent/converse: __customFromThinkProvider": _NEWER,
    "- /v1/listen > Finalize.channel": "the documentation of Finalize has it",
    "- /v1/listen: ConfigureFailure": _NEWER,
    "- /v1/listen: ConfigureSuccess": _NEWER,
    "- /v1/listen: Error": _NEWER,
    "- /v1/listen: Metadata.*": _SDK,
    "- /v1/listen: Results.channel.alternatives[].languages_hinted": _NEWER,
    "- /v1/listen: Results.channel.alternatives[].words[].*": "words are shared with recordings",
    "- /v1/listen: Results.channel.search": "the documentation of Search has it",
    "- /v1/listen: Results.metadata.*": _NEWER,
    "- /v1/speak: Error": "the service sends it, the specification has only Warning",
    "- /v1/speak: Warning.warn_*": _SDK,
    "+ /v2/listen > Configure.thresholds": "its three fields are keywords",
    "- /v2/listen > Configure.*": "the fields of thresholds; numerals was published later",
    "- /v2/listen: ConfigureFailure.*": _NEWER,
    "- /v2/listen: ConfigureSuccess.numerals": _NEWER,
    "- /v2/listen: TurnInfo.trigger": _NEWER,
    "- /v2/listen: Warning": _NEWER,
    "- /v2/speak: ConfigureFailure": _NEWER,
    "- /v2/speak: ConfigureSuccess": _NEWER,
    "- /v2/speak: SpeechInterrupted": _NEWER,
    "- /v2/speak: SpeechMetadata.controls_applied.breaks_applied": _NEWER,
}
