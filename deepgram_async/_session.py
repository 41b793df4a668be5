"""The session: owner of the connections, and the way to every call."""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from deepgram_async._caller import Caller, Connections, Login
from deepgram_async._lazy import lazy_method
from deepgram_async._protocol import credentials as creds
from deepgram_async._protocol.credentials import Credentials, CredentialsSource
from deepgram_async._protocol.endpoints import Region, resolve_endpoints
from deepgram_async._protocol.query import QueryValue
from deepgram_async._protocol.retry import RetryPolicy
from deepgram_async._protocol.settings import (
    CallSettings,
    NetworkSettings,
    StreamSettings,
    Timeouts,
)
from deepgram_async.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

    from deepgram_async._io.http import HttpClient
    from deepgram_async._resources.agent import Agent
    from deepgram_async._resources.auth import Auth
    from deepgram_async._resources.billing import Billing
    from deepgram_async._resources.invites import Invites
    from deepgram_async._resources.keys import Keys
    from deepgram_async._resources.listen import Listen
    from deepgram_async._resources.members import Members
    from deepgram_async._resources.models import Models
    from deepgram_async._resources.projects import Projects
    from deepgram_async._resources.read import Read
    from deepgram_async._resources.requests import Requests
    from deepgram_async._resources.scopes import Scopes
    from deepgram_async._resources.self_hosted import SelfHosted
    from deepgram_async._resources.speak import Speak
    from deepgram_async._resources.usage import Usage
    from deepgram_async._stream.stream import SocketStream
    from deepgram_async.batch import Batch  # noqa: TC004 - see `lazy_method`

__all__ = ["DeepgramSession"]

_log = logging.getLogger("deepgram_async")


class DeepgramSession:
    """A session with Deepgram: one pool of connections, one place for settings.

    ::

        async with DeepgramSession() as dg:
            answer = await dg.listen.transcribe("meeting.mp3", model="nova-3")

    It can be made anywhere, also outside a running loop; connections are made on first use and
    belong to the loop that is running then. After that loop has ended, as with one
    ``asyncio.run`` a call, the next use makes new ones. Two loops at the same time need two
    sessions. It may be closed from another task than the one that opened it, and opened again.

    Args:
        api_key: Key of a Deepgram project; ``DEEPGRAM_API_KEY`` if left out.
        access_token: Short-lived token instead of a key; ``DEEPGRAM_ACCESS_TOKEN`` if left out.
        token_provider: Async function that returns an access token; it is asked before every
            request and every handshake.
        base_url: Address of the service (``http``, ``https``, ``ws`` or ``wss``; port and path
            prefix are kept); ``DEEPGRAM_BASE_URL`` if left out.
        region: ``eu``, ``au`` or ``in`` instead of a base URL.
        allow_insecure: Accept unencrypted traffic to a host that is not this machine.
        project_id: Project for the calls that need one; ``DEEPGRAM_PROJECT_ID`` if left out.
        timeouts: Deadlines of REST calls.
        retry: When REST calls are repeated.
        stream: Behaviour of live streams.
        pool_limit: REST connections at the same time; 0 for no limit.
        pool_limit_per_host: The same for each host.
        proxy: URL of an HTTP proxy for REST and WebSockets.
        trust_env: Take proxies from ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY``.
        ssl_context: TLS settings for REST and WebSockets.
        http_client: An aiohttp session of yours for REST; it is left open, and brings its own
            pool and TLS settings.
        extra_headers: Headers for every request and handshake.
        extra_query: Query keys for every request and handshake with options.
        keep_raw: Keep the body of each answer in ``answer.raw``, so that ``to_dict()`` returns
            fields that are newer than this release too.
        validate: Refuse options that the documentation says are refused, before anything is sent;
            ``False`` leaves the decision to the service, which may be newer.

    Raises:
        ConfigurationError: A setting is wrong, or credentials are missing; only an own
            ``base_url`` can do without.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        access_token: str | None = None,
        token_provider: Callable[[], Awaitable[str]] | None = None,
        base_url: str | None = None,
        region: Region | None = None,
        allow_insecure: bool = False,
        project_id: str | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        stream: StreamSettings | None = None,
        pool_limit: int = 100,
        pool_limit_per_host: int = 0,
        proxy: str | None = None,
        trust_env: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        http_client: HttpClient | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        keep_raw: bool = False,
        validate: bool = True,
    ) -> None:
        _set_log_level(os.environ.get("DEEPGRAM_LOG"))
        endpoints = resolve_endpoints(
            base_url or (None if region else os.environ.get("DEEPGRAM_BASE_URL") or None),
            region,
            allow_insecure=allow_insecure,
        )
        calls = CallSettings(
            endpoints=endpoints,
            timeouts=timeouts or Timeouts(),
            retry=retry or RetryPolicy(),
            stream=stream or StreamSettings(),
            extra_headers=dict(extra_headers or {}),
            extra_query=dict(extra_query or {}),
            keep_raw=keep_raw,
            validate=validate,
            project_id=project_id or os.environ.get("DEEPGRAM_PROJECT_ID") or None,
        )
        credentials = _credentials(
            api_key, access_token, token_provider, are_required=endpoints.is_deepgram
        )
        network = NetworkSettings(
            pool_limit=pool_limit,
            pool_limit_per_host=pool_limit_per_host,
            proxy=proxy,
            trust_env=trust_env,
            ssl_context=ssl_context,
        )
        self._connections = Connections(network, calls, http_client)
        self._caller = Caller(self._connections, calls, Login(credentials))

    # Public attributes. Each loads its part of the package when it is first asked for: together
    # they take as long as all that the session itself needs.

    @cached_property
    def listen(self) -> Listen:
        """Speech to text, prerecorded and live."""
        from deepgram_async._resources.listen import Listen

        return Listen(self._caller)

    @cached_property
    def agent(self) -> Agent:
        """Voice agents: conversations, stored configurations, variables and language models."""
        from deepgram_async._resources.agent import Agent

        return Agent(self._caller)

    @cached_property
    def auth(self) -> Auth:
        """Short-lived access tokens."""
        from deepgram_async._resources.auth import Auth

        return Auth(self._caller)

    @cached_property
    def billing(self) -> Billing:
        """What a project spent, and what is left."""
        from deepgram_async._resources.billing import Billing

        return Billing(self._caller)

    @cached_property
    def invites(self) -> Invites:
        """Invitations to a project."""
        from deepgram_async._resources.invites import Invites

        return Invites(self._caller)

    @cached_property
    def keys(self) -> Keys:
        """API keys of a project."""
        from deepgram_async._resources.keys import Keys

        return Keys(self._caller)

    @cached_property
    def members(self) -> Members:
        """Members of a project."""
        from deepgram_async._resources.members import Members

        return Members(self._caller)

    @cached_property
    def models(self) -> Models:
        """The public models and voices; `projects.models` has those of a project."""
        from deepgram_async._resources.models import Models

        return Models(self._caller)

    @cached_property
    def onprem(self) -> SelfHosted:
        """As `self_hosted`, under the path names that older self-hosted services know."""
        from deepgram_async._resources.self_hosted import SelfHosted

        return SelfHosted(self._caller, "onprem")

    @cached_property
    def projects(self) -> Projects:
        """Projects, and the models that each can use."""
        from deepgram_async._resources.projects import Projects

        return Projects(self._caller)

    @cached_property
    def read(self) -> Read:
        """Summary, topics, intents and sentiment of a text."""
        from deepgram_async._resources.read import Read

        return Read(self._caller)

    @cached_property
    def requests(self) -> Requests:
        """The log of the requests of a project."""
        from deepgram_async._resources.requests import Requests

        return Requests(self._caller)

    @cached_property
    def scopes(self) -> Scopes:
        """What the members of a project may do."""
        from deepgram_async._resources.scopes import Scopes

        return Scopes(self._caller)

    @cached_property
    def self_hosted(self) -> SelfHosted:
        """Credentials for the container images of a self-hosted service."""
        from deepgram_async._resources.self_hosted import SelfHosted

        return SelfHosted(self._caller)

    @cached_property
    def speak(self) -> Speak:
        """Text to speech with Aura voices, and in `speak.flux` with Flux voices."""
        from deepgram_async._resources.speak import Speak

        return Speak(self._caller)

    @cached_property
    def usage(self) -> Usage:
        """What a project used."""
        from deepgram_async._resources.usage import Usage

        return Usage(self._caller)

    @lazy_method("deepgram_async.batch", "Batch", lambda: Batch)
    def batch(self) -> object:
        """Transcribe many recordings; see `deepgram_async.batch.Batch`."""

    @property
    def base_url(self) -> str:
        """Where requests go."""
        return self._caller.calls.endpoints.rest

    @property
    def streams(self) -> tuple[SocketStream[Any, Any], ...]:
        """The streams of this session that are open now."""
        return self._connections.sockets.streams

    # Public methods.

    def with_options(
        self,
        *,
        project_id: str | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        stream: StreamSettings | None = None,
        extra_headers: Mapping[str, str] | None = None,
        extra_query: Mapping[str, QueryValue] | None = None,
        keep_raw: bool | None = None,
        validate: bool | None = None,
    ) -> Self:
        """Return a session with other settings for its calls, on the same connections.

        What is left out stays as it is; headers and query keys are added to those of this
        session. Closing either closes the connections of both.
        """
        old = self._caller.calls
        calls = CallSettings(
            endpoints=old.endpoints,
            timeouts=timeouts or old.timeouts,
            retry=retry or old.retry,
            stream=stream or old.stream,
            extra_headers={**old.extra_headers, **(extra_headers or {})},
            extra_query={**old.extra_query, **(extra_query or {})},
            keep_raw=old.keep_raw if keep_raw is None else keep_raw,
            validate=old.validate if validate is None else validate,
            project_id=project_id or old.project_id,
        )
        return self._sharing(Caller(self._connections, calls, self._caller.credentials))

    def use_credentials(
        self,
        api_key: str | None = None,
        *,
        access_token: str | None = None,
        token_provider: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """Log in with other credentials from the next request and handshake on.

        Give one of them, or none to read the environment again. What is under way goes on:
        credentials are looked at only when a request or a stream begins, or is repeated. Sessions
        made by `with_options` change with this one.

        Raises:
            ConfigurationError: More than one was given, or none is there; nothing has changed.
        """
        self._caller.credentials.change(
            _credentials(api_key, access_token, token_provider, are_required=True)
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, QueryValue] | None = None,
        json: object = None,
    ) -> object:
        """Send a call that this release has no method for; return its JSON, ``None`` for nothing.

        Args:
            method: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
            path: Below the base URL, percent-encoded, such as ``/v1/projects``.
            query: Query keys; those of the session are added.
            json: Body, or ``None`` for none.

        Raises:
            OptionError: The method or the path is none, or the body cannot be written as JSON.
            ApiError: The service refused; the class tells why.
            ProtocolError: The answer is no JSON; its bytes are in ``body``.
            TransportError: No complete answer arrived.
        """
        from deepgram_async._resources.raw import request

        return await request(self._caller, method, path, query, json)

    async def aclose(self) -> None:
        """Finish the open streams within five seconds and close all connections.

        Safe to repeat, and from any task of the same loop. The session can be used again.
        """
        await self._connections.aclose()

    async def __aenter__(self) -> Self:
        await self._connections.transport()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _sharing(self, caller: Caller) -> Self:
        made = object.__new__(type(self))
        vars(made).update(_connections=self._connections, _caller=caller)
        return made

    def __repr__(self) -> str:
        return f"<DeepgramSession {self._caller.calls.endpoints.rest}>"


def _credentials(
    api_key: str | None,
    access_token: str | None,
    token_provider: Callable[[], Awaitable[str]] | None,
    *,
    are_required: bool,
) -> CredentialsSource:
    given = [value for value in (api_key, access_token, token_provider) if value is not None]
    if len(given) > 1:
        raise ConfigurationError("api_key, access_token and token_provider exclude each other")
    if token_provider is not None:

        async def ask() -> Credentials:
            return creds.access_token(await token_provider())

        return ask
    if not given:
        api_key = os.environ.get("DEEPGRAM_API_KEY") or None
        access_token = os.environ.get("DEEPGRAM_ACCESS_TOKEN") or None
    if api_key is not None:
        fixed = creds.api_key(api_key)
    elif access_token is not None:
        fixed = creds.access_token(access_token)
    elif are_required:
        raise creds.missing_credentials()
    else:
        fixed = creds.anonymous()

    async def return_fixed() -> Credentials:
        return fixed

    return return_fixed


def _set_log_level(name: str | None) -> None:
    if not name:
        return
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise ConfigurationError(f"DEEPGRAM_LOG={name!r} is not a log level such as debug or info")
    _log.setLevel(level)
    if not _log.handlers and not logging.getLogger().handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        _log.addHandler(handler)
