"""Which call of the package belongs to which operation of the specification."""

__all__ = ["OPERATIONS", "SUBMISSIONS"]

_PROJECT = "/v1/projects/{project_id}"
_CREDENTIALS = f"{_PROJECT}/self-hosted/distribution/credentials"

OPERATIONS = {
    "GET /v1/agent/settings/think/models": "agent.think_models.list",
    f"POST {_PROJECT}/agents": "agent.configurations.create",
    f"GET {_PROJECT}/agents": "agent.configurations.list",
    f"GET {_PROJECT}/agents/{{agent_id}}": "agent.configurations.get",
    f"PUT {_PROJECT}/agents/{{agent_id}}": "agent.configurations.update",
    f"DELETE {_PROJECT}/agents/{{agent_id}}": "agent.configurations.delete",
    f"POST {_PROJECT}/agent-variables": "agent.variables.create",
    f"GET {_PROJECT}/agent-variables": "agent.variables.list",
    f"GET {_PROJECT}/agent-variables/{{variable_id}}": "agent.variables.get",
    f"PATCH {_PROJECT}/agent-variables/{{variable_id}}": "agent.variables.update",
    f"DELETE {_PROJECT}/agent-variables/{{variable_id}}": "agent.variables.delete",
    "POST /v1/listen": "listen.transcribe",
    "POST /v1/speak": "speak.generate",
    "POST /v1/read": "read.analyze",
    "GET /v1/projects": "projects.list",
    f"GET {_PROJECT}": "projects.get",
    f"PATCH {_PROJECT}": "projects.update",
    f"DELETE {_PROJECT}": "projects.delete",
    f"DELETE {_PROJECT}/leave": "projects.leave",
    f"GET {_PROJECT}/models": "projects.models.list",
    f"GET {_PROJECT}/models/{{model_id}}": "projects.models.get",
    "GET /v1/models": "models.list",
    "GET /v1/models/{model_id}": "models.get",
    f"GET {_PROJECT}/keys": "keys.list",
    f"POST {_PROJECT}/keys": "keys.create",
    f"GET {_PROJECT}/keys/{{key_id}}": "keys.get",
    f"DELETE {_PROJECT}/keys/{{key_id}}": "keys.delete",
    f"GET {_PROJECT}/members": "members.list",
    f"DELETE {_PROJECT}/members/{{member_id}}": "members.delete",
    f"GET {_PROJECT}/members/{{member_id}}/scopes": "scopes.list",
    f"PUT {_PROJECT}/members/{{member_id}}/scopes": "scopes.update",
    f"GET {_PROJECT}/invites": "invites.list",
    f"POST {_PROJECT}/invites": "invites.create",
    f"DELETE {_PROJECT}/invites/{{email}}": "invites.delete",
    f"GET {_PROJECT}/requests": "requests.list",
    f"GET {_PROJECT}/requests/{{request_id}}": "requests.get",
    f"GET {_PROJECT}/usage": "usage.get",
    f"GET {_PROJECT}/usage/fields": "usage.fields",
    f"GET {_PROJECT}/usage/breakdown": "usage.breakdown",
    f"GET {_PROJECT}/balances": "billing.balances.list",
    f"GET {_PROJECT}/balances/{{balance_id}}": "billing.balances.get",
    f"GET {_PROJECT}/billing/breakdown": "billing.breakdown",
    f"GET {_PROJECT}/billing/fields": "billing.fields",
    f"GET {_PROJECT}/purchases": "billing.purchases",
    f"GET {_CREDENTIALS}": "self_hosted.list",
    f"POST {_CREDENTIALS}": "self_hosted.create",
    f"GET {_CREDENTIALS}/{{distribution_credentials_id}}": "self_hosted.get",
    f"DELETE {_CREDENTIALS}/{{distribution_credentials_id}}": "self_hosted.delete",
    "POST /v1/auth/grant": "auth.grant",
    "POST /v2/speak": "speak.flux.generate",
}

# The same operations with a callback, which have another answer.
SUBMISSIONS = {
    "POST /v1/listen": "listen.submit",
    "POST /v1/speak": "speak.submit",
    "POST /v1/read": "read.submit",
    "POST /v2/speak": "speak.flux.submit",
}
