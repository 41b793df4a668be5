"""Answers of the management calls with every field that the documentation knows."""

from typing import Any, Final

__all__ = [
    "AGENT",
    "AGENTS",
    "BALANCE",
    "BALANCES",
    "BILLING_BREAKDOWN",
    "BILLING_FIELDS",
    "CREATED_KEY",
    "CREDENTIALS",
    "CREDENTIALS_LIST",
    "GRANT",
    "INVITES",
    "KEYS",
    "KEY_ITEM",
    "MEMBERS",
    "MESSAGE",
    "MODEL",
    "MODELS",
    "PROJECT",
    "PROJECTS",
    "PURCHASES",
    "REQUEST",
    "REQUESTS",
    "REQUEST_ITEM",
    "SCOPES",
    "THINK_MODELS",
    "USAGE",
    "USAGE_BREAKDOWN",
    "USAGE_FIELDS",
    "VARIABLE",
    "VARIABLES",
    "VOICE",
]

Answer = dict[str, Any]

GRANT: Final[Answer] = {"access_token": "header.payload.signature", "expires_in": 30.0}
MESSAGE: Final[Answer] = {"message": "Done."}
PROJECT: Final[Answer] = {"project_id": "p-1", "name": "Calls", "mip_opt_out": True}
PROJECTS: Final[Answer] = {"projects": [PROJECT, {"project_id": "p-2", "name": "Talks"}]}

_KEY: Final[Answer] = {
    "api_key_id": "k-1",
    "comment": "for the website",
    "scopes": ["member", "project:read"],
    "tags": ["web"],
    "created": "2026-01-31T10:20:30.123Z",
    "expiration_date": "2027-01-31T00:00:00Z",
}
_PERSON: Final[Answer] = {
    "member_id": "m-1",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
}
KEYS: Final[Answer] = {"api_keys": [{"member": _PERSON, "api_key": _KEY}]}
KEY_ITEM: Final[Answer] = {"item": {"member": {**_PERSON, "api_key": _KEY}}}
CREATED_KEY: Final[Answer] = {
    "api_key_id": "k-1",
    "key": "the-secret",
    "comment": "for the website",
    "scopes": ["member"],
    "tags": ["web"],
    "expiration_date": "2027-01-31T00:00:00Z",
}
MEMBERS: Final[Answer] = {"members": [{**_PERSON, "scopes": ["admin"]}]}
SCOPES: Final[Answer] = {"scopes": ["member", "project:read"]}
INVITES: Final[Answer] = {"invites": [{"email": "bob@example.com", "scope": "member"}]}

MODEL: Final[Answer] = {
    "name": "general",
    "canonical_name": "nova-3-general",
    "architecture": "nova-3",
    "languages": ["en", "en-US"],
    "version": "2025-01-09.0",
    "uuid": "30089e05-99d1-4376-b32e-c263170674af",
    "batch": True,
    "streaming": False,
    "formatted_output": True,
}
VOICE: Final[Answer] = {
    "name": "zeus",
    "canonical_name": "aura-2-zeus-en",
    "architecture": "aura-2",
    "languages": ["en"],
    "version": "2025-04-07.0",
    "uuid": "2baf189d-91ac-481d-b6d1-750888667b31",
    "metadata": {
        "accent": "American",
        "age": "Adult",
        "color": "#C58DFF",
        "image": "https://static.example/zeus.jpg",
        "sample": "https://static.example/zeus.wav",
        "tags": ["masculine", "deep"],
        "use_cases": ["IVR"],
    },
}
MODELS: Final[Answer] = {"stt": [MODEL], "tts": [VOICE]}
THINK_MODELS: Final[Answer] = {
    "models": [
        {"id": "gpt-4o-mini", "name": "GPT-4o mini", "provider": "open_ai"},
        {"id": "brand-new", "name": "Brand New", "provider": "somebody"},
    ]
}

_RESOLUTION: Final[Answer] = {"units": "day", "amount": 1.0}
USAGE: Final[Answer] = {
    "start": "2026-01-01",
    "end": "2026-01-31",
    "resolution": _RESOLUTION,
    "results": [
        {
            "start": "2026-01-01",
            "end": "2026-01-02",
            "hours": 1.5,
            "total_hours": 3.0,
            "requests": 12,
            "tokens": {"in": 120, "out": 34},
            "tts": {"characters": 9158, "requests": 7},
        }
    ],
}
USAGE_BREAKDOWN: Final[Answer] = {
    "start": "2026-01-01",
    "end": "2026-01-31",
    "resolution": _RESOLUTION,
    "results": [
        {
            "hours": 1619.7242069444444,
            "total_hours": 1621.7395791666668,
            "agent_hours": 41.33564388888889,
            "tokens_in": 120,
            "tokens_out": 34,
            "tts_characters": 9158,
            "requests": 373381,
            "grouping": {
                "start": "2026-01-01",
                "end": "2026-01-02",
                "accessor": "a-1",
                "endpoint": "listen",
                "feature_set": "smart_format",
                "models": ["30089e05"],
                "method": "streaming",
                "tags": ["web"],
                "deployment": "hosted",
            },
        }
    ],
}
USAGE_FIELDS: Final[Answer] = {
    "tags": ["web"],
    "models": [
        {"name": "general", "language": "en", "version": "2025-01-09.0", "model_id": "30089e05"}
    ],
    "processing_methods": ["sync", "streaming"],
    "features": ["smart_format"],
}
REQUEST: Final[Answer] = {
    "request_id": "r-1",
    "project_uuid": "p-1",
    "created": "2026-01-31T10:20:30.123Z",
    "path": "/v1/listen?model=nova-3",
    "api_key_id": "k-1",
    "accessor": "a-1",
    "code": 200,
    "deployment": "hosted",
    "callback": {"attempts": 2, "code": 200, "completed": "2026-01-31T10:21:00Z"},
    "response": {
        "code": 200,
        "completed": "2026-01-31T10:20:31.5Z",
        "message": "ok",
        "details": {
            "usd": 0.0043,
            "duration": 25.5,
            "total_audio": 51.0,
            "channels": 2,
            "streams": 1,
            "method": "sync",
            "tier": "nova-3",
            "models": ["30089e05"],
            "tags": ["web"],
            "features": ["smart_format"],
            "config": {"smart_format": True, "keywords": ["Ada"]},
        },
        "tts_details": {
            "duration": 2.5,
            "speech_segments": [{"characters": 13, "model": "2baf189d", "tier": "aura-2"}],
        },
        "token_details": [{"feature": "summarize", "input": 63, "model": "t-1", "output": 43}],
    },
}
REQUESTS: Final[Answer] = {"page": 0, "limit": 10, "requests": [REQUEST]}
REQUEST_ITEM: Final[Answer] = {"request": REQUEST}

BALANCE: Final[Answer] = {
    "balance_id": "b-1",
    "amount": 148.25,
    "units": "usd",
    "purchase_order_id": "o-1",
}
BALANCES: Final[Answer] = {"balances": [BALANCE]}
BILLING_BREAKDOWN: Final[Answer] = {
    "start": "2026-01-01",
    "end": "2026-01-31",
    "resolution": _RESOLUTION,
    "results": [
        {
            "dollars": 0.25,
            "grouping": {
                "start": "2026-01-01",
                "end": "2026-01-02",
                "accessor": "a-1",
                "deployment": "hosted",
                "line_item": "streaming::nova-3",
                "tags": ["web"],
            },
        }
    ],
}
BILLING_FIELDS: Final[Answer] = {
    "accessors": ["a-1"],
    "deployments": ["hosted", "dedicated"],
    "tags": ["web"],
    "line_items": {"streaming::nova-3": "Nova - 3 (Stream)"},
}
PURCHASES: Final[Answer] = {
    "orders": [
        {
            "order_id": "o-1",
            "expiration": "2027-01-31T00:00:00Z",
            "created": "2026-01-31T10:20:30.123Z",
            "amount": 150.0,
            "units": "usd",
            "order_type": "promotional",
        }
    ]
}

CREDENTIALS: Final[Answer] = {
    "member": {"member_id": "m-1", "email": "ada@example.com"},
    "distribution_credentials": {
        "distribution_credentials_id": "d-1",
        "provider": "quay",
        "scopes": ["self-hosted:product:api"],
        "created": "2026-01-31T10:20:30.123Z",
        "comment": "for the cluster",
    },
}
CREDENTIALS_LIST: Final[Answer] = {"distribution_credentials": [CREDENTIALS]}

AGENT: Final[Answer] = {
    "agent_id": "a-1",
    "config": {"language": "en", "think": {"prompt": "DG_PROMPT", "temperature": 0.5}},
    "metadata": {"team": "support"},
    "created_at": "2026-01-31T10:20:30.123Z",
    "updated_at": "2026-02-01T10:20:30.123Z",
}
AGENTS: Final[Answer] = {"agents": [AGENT]}
VARIABLE: Final[Answer] = {
    "variable_id": "v-1",
    "key": "DG_PROMPT",
    "value": {"text": ["Be brief."], "weight": 0.5},
    "created_at": "2026-01-31T10:20:30.123Z",
    "updated_at": "2026-02-01T10:20:30.123Z",
}
VARIABLES: Final[Answer] = {"variables": [VARIABLE]}
