"""The functions that an agent calls, here by the client and there by an endpoint."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from deepgram_async.models.agent import HistoryFunctionCall

from .failures import AgentFailure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepgram_async.emulator._peer import Peer
    from deepgram_async.models.agent_settings import Function, FunctionEndpoint

    from .messages import FunctionCallResponse
    from .thinking import ToolCall

__all__ = ["Functions"]

_WITHOUT_BODY: Final = ("GET", "HEAD", "DELETE")


class Functions:
    """Has functions called, and knows which calls wait for the client."""

    def __init__(self, peer: Peer, http: aiohttp.ClientSession, timeout_s: float) -> None:
        self._peer = peer
        self._http = http
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._waiting: dict[str, tuple[str, asyncio.Future[str]]] = {}

    async def call(
        self, calls: Sequence[ToolCall], declared: Sequence[Function]
    ) -> list[HistoryFunctionCall]:
        """Have functions called at the same time; return the calls with their responses.

        Raises:
            AgentFailure: There is no such function.
        """
        functions = {function.name: function for function in declared}
        for call in calls:
            if call.name not in functions:
                description = f"Function {call.name} does not exist."
                raise AgentFailure("NON_EXISTENT_FUNCTION_CALLED", description)
        ids = [call.id or f"call_{secrets.token_urlsafe(18)}" for call in calls]
        endpoints = [functions[call.name].endpoint for call in calls]
        loop = asyncio.get_running_loop()
        for call_id, call, endpoint in zip(ids, calls, endpoints, strict=True):
            if endpoint is None:
                self._waiting[call_id] = call.name, loop.create_future()
        await self._peer.say(
            {
                "type": "FunctionCallRequest",
                "functions": [
                    {
                        "id": call_id,
                        "name": call.name,
                        "arguments": call.arguments,
                        "client_side": endpoint is None,
                    }
                    for call_id, call, endpoint in zip(ids, calls, endpoints, strict=True)
                ],
            }
        )
        responses = await asyncio.gather(
            *(
                self._respond(call_id, call, endpoint)
                for call_id, call, endpoint in zip(ids, calls, endpoints, strict=True)
            )
        )
        return [
            HistoryFunctionCall(
                id=call_id,
                name=call.name,
                client_side=endpoint is None,
                arguments=call.arguments,
                response=response,
            )
            for call_id, call, endpoint, response in zip(
                ids, calls, endpoints, responses, strict=True
            )
        ]

    def answer(self, response: FunctionCallResponse) -> None:
        """Take the client's response; one that nobody waits for is dropped."""
        _, waiting = self._waiting.get(response.id or "", ("", None))
        if waiting is not None and not waiting.done():
            waiting.set_result(response.content)

    async def cancel(self) -> None:
        """Tell the client that the calls that wait are not wanted any more."""
        waiting, self._waiting = self._waiting, {}
        functions = [{"id": call_id, "name": name} for call_id, (name, _) in waiting.items()]
        if functions:
            await self._peer.say({"type": "FunctionCallCancelled", "functions": functions})

    async def _respond(
        self, call_id: str, call: ToolCall, endpoint: FunctionEndpoint | None
    ) -> str:
        if endpoint is not None:
            return await self._ask(call_id, call, endpoint)
        response = await self._waiting[call_id][1]
        del self._waiting[call_id]
        return response

    async def _ask(self, call_id: str, call: ToolCall, endpoint: FunctionEndpoint) -> str:
        method = (endpoint.method or "POST").upper()
        try:
            arguments: dict[str, object] = msgspec.json.decode(call.arguments)
            fields = {name: str(value) for name, value in arguments.items()}
            async with self._http.request(
                method,
                endpoint.url,
                headers=endpoint.headers,
                params=fields if method in _WITHOUT_BODY else None,
                data=None if method in _WITHOUT_BODY else call.arguments.encode(),
                timeout=self._timeout,
            ) as answer:
                answer.raise_for_status()
                content = await answer.text()
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, AttributeError):
            content = "The function failed."
            await self._peer.say(
                {
                    "type": "Warning",
                    "code": "FUNCTION_CALL_FAILED",
                    "description": f"Function {call.name} failed.",
                }
            )
        await self._peer.say(
            {"type": "FunctionCallResponse", "id": call_id, "name": call.name, "content": content}
        )
        return content
