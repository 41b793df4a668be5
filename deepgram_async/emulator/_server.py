"""The local Deepgram as an object: start it, use its address, stop it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from aiohttp import web

from . import _control, _listen_live, _listen_rest, _page
from ._agent import socket as _agent
from ._agent.rules import think_by_rules
from ._auth import Access
from ._engine import Engine
from ._errors import METHOD_NOT_ALLOWED, NOT_FOUND, Refusal, bad_request
from ._fault_plan import FaultPlan
from ._flux import socket as _flux
from ._listening import listen
from ._manage import agents, billing, keys, models, projects, self_hosted, usage
from ._manage.account import Account
from ._manage.scopes import is_scope
from ._manage.tokens import Tokens
from ._read import endpoint as _read
from ._recognizers import load_recognizer
from ._recorder import Recorder
from ._request_log import RequestLog
from ._services import PROJECT_ID, REQUEST_ID, Gates, Services
from ._settings import EmulatorSettings
from ._speech import flux as _speak_flux
from ._speech import live as _speak_live
from ._speech import rest as _speak_rest
from ._speech.voice import Voice
from ._strict.inspector import Inspector
from ._watch import Watch
from ._wire import new_request_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from aiohttp.typedefs import Handler, Middleware

    from ._agent.thinking import ThinkFunction
    from ._faults import ServiceFault
    from ._recognizers import Recognizer
    from ._speech.synthesizers import Synthesizer
    from ._strict.deviations import Deviation

__all__ = ["Emulator"]

_log: Final = logging.getLogger(__name__)

# One module per endpoint: each makes its routes from the services.
_ENDPOINTS: Final = (
    _listen_rest.routes,
    _listen_live.routes,
    _flux.routes,
    _speak_rest.routes,
    _speak_live.routes,
    _speak_flux.routes,
    _agent.routes,
    _read.routes,
    projects.routes,
    keys.routes,
    models.routes,
    usage.routes,
    billing.routes,
    agents.routes,
    self_hosted.routes,
    _control.routes,
    _page.routes,
)


class Emulator:
    """A Deepgram on this machine, for trying, demonstrating and testing without key and internet.

    It serves every REST endpoint and every WebSocket, with the service's answers, errors, limits,
    timers and close reasons.

        async with Emulator() as emulator:
            ...  # talk to emulator.base_url

    What goes wrong on demand is a `ServiceFault`; `inject` lets it happen.

    Args:
        recognizer: Who recognises; by default `load_recognizer("whisper")`, real recognition.
        settings: Timers, limits, accepted credentials, faults, and the file for the state.
        synthesizer: Who speaks; by default `load_synthesizer("hibari")`, real speech, which is
            loaded when it is first wanted.
        think: Who thinks for voice agents; by default rules, which call the functions of an agent
            by the words that describe them.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
    """

    def __init__(
        self,
        recognizer: Recognizer | None = None,
        settings: EmulatorSettings | None = None,
        *,
        synthesizer: Synthesizer | None = None,
        think: ThinkFunction = think_by_rules,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._recognizer = recognizer
        self._settings = settings or EmulatorSettings()
        self._synthesizer = synthesizer
        self._think = think
        self._host = host
        self._wanted_port = port
        self._port: int | None = None
        self._services: Services | None = None
        self._runner: web.AppRunner | None = None
        self._inspector: Inspector | None = None
        self._recorder: Recorder | None = None

    @property
    def port(self) -> int:
        """The port listened on.

        Raises:
            RuntimeError: The emulator is not started.
        """
        if self._port is None:
            raise RuntimeError("the emulator is not started")
        return self._port

    @property
    def base_url(self) -> str:
        """The address, as in `http://127.0.0.1:8080`.

        Raises:
            RuntimeError: The emulator is not started.
        """
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    @property
    def open_streams(self) -> int:
        """How many live streams are open; 0 when it is not started."""
        return 0 if self._services is None else len(self._services.open_sockets)

    @property
    def deviations(self) -> Sequence[Deviation]:
        """Where clients left Deepgram's specification since the start, the oldest first.

        There are none unless `EmulatorSettings.strict` is set; the latest 1000 are kept.
        """
        return () if self._inspector is None else tuple(self._inspector.deviations)

    @property
    def _running(self) -> Services:
        if self._services is None:
            raise RuntimeError("the emulator is not started")
        return self._services

    async def start(self) -> None:
        """Load the recogniser and begin to listen.

        Raises:
            RecognizerUnavailableError: Real recognition is wanted and cannot be had.
            RuntimeError: The emulator is already started.
            OSError: The address cannot be listened on, or the file for the state not be made.
            sqlite3.Error: The file for the state is something else.
        """
        if self._runner is not None or self._services is not None:
            raise RuntimeError("the emulator is already started")
        if self._recognizer is None:
            self._recognizer = await asyncio.to_thread(load_recognizer, "whisper")
        settings = self._settings
        account = await Account.open(settings.state, settings.keys or (), settings.clock)
        tokens = Tokens(settings.clock)
        watch = Watch()
        self._inspector = Inspector(watch) if settings.strict else None
        self._services = services = Services(
            settings=settings,
            engine=Engine(self._recognizer, settings.workers),
            voice=Voice(self._synthesizer),
            think=self._think,
            http=aiohttp.ClientSession(),
            account=account,
            tokens=tokens,
            access=Access(settings, account, tokens),
            gates=Gates(settings.max_requests, settings.max_streams),
            faults=FaultPlan(settings.faults, settings.fault_seed),
            log=RequestLog(account),
            watch=watch,
            inspector=self._inspector,
        )
        if self._inspector is not None:
            watch.add(self._inspector)
        try:
            if settings.record is not None:
                self._recorder = await asyncio.to_thread(
                    Recorder, settings.record, with_audio=settings.record_audio
                )
                watch.add(self._recorder)
            self._runner = await self._serve(services)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Close every stream with 1001, cancel what runs, and stop listening; twice is fine."""
        runner, self._runner, self._port = self._runner, None, None
        services, self._services = self._services, None
        recorder, self._recorder = self._recorder, None
        if runner is not None:
            await runner.cleanup()
        if services is not None:
            await services.background.close()
            await services.engine.close(self._settings.close_timeout_s)
            services.voice.close()
            await services.http.close()
            await services.account.close()
        if recorder is not None:
            recorder.close()

    def inject(self, *faults: ServiceFault) -> None:
        """Let things go wrong for the next requests and streams that the faults match.

        Raises:
            RuntimeError: The emulator is not started.
        """
        self._running.faults.add(faults)

    def heal(self) -> None:
        """Let nothing go wrong any more; what has begun goes on.

        Raises:
            RuntimeError: The emulator is not started.
        """
        self._running.faults.clear()

    def limit(self, *, max_requests: int | None = None, max_streams: int | None = None) -> None:
        """Change how many requests and streams of a project and product run at a time.

        Args:
            max_requests: REST requests; None sets no limit.
            max_streams: WebSockets; None sets no limit.

        Raises:
            RuntimeError: The emulator is not started.
        """
        self._running.gates.requests = max_requests
        self._running.gates.streams = max_streams

    def add_project(self, name: str) -> str:
        """Make another project and return its id; `add_key` makes keys for it.

        Raises:
            RuntimeError: The emulator is not started.
        """
        return self._running.account.add_project(name).project_id

    def add_key(self, *scopes: str, project_id: str | None = None) -> str:
        """Make a key and return its secret.

        Args:
            scopes: Roles and scopes, such as `member` or `usage:read`; the owner's if left out.
            project_id: Its project; the first one if left out.

        Raises:
            RuntimeError: The emulator is not started.
            ValueError: There is no such project or scope.
        """
        account = self._running.account
        default = account.default_project
        project = default if project_id is None else account.projects.get(project_id)
        unknown = [name for name in scopes if not is_scope(name)]
        if project is None or unknown:
            raise ValueError(f"no such project or scope: {unknown or project_id}")
        _, secret = account.add_key(
            project_id=project.project_id,
            member_id=account.owner_id_of(project.project_id),
            comment="Made by Emulator.add_key",
            scopes=scopes or ("owner",),
        )
        return secret

    async def serve_forever(self) -> None:
        """Serve until cancelled, starting first if need be; stops on the way out."""
        if self._runner is None:
            await self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _serve(self, services: Services) -> web.AppRunner:
        app = web.Application(
            middlewares=[_guard(services.watch)], client_max_size=self._settings.max_text_bytes
        )
        for routes in _ENDPOINTS:
            app.add_routes(routes(services))
        app.on_response_prepare.append(_add_ids)

        async def hang_up(_: web.Application) -> None:
            for viewer in services.viewers:
                viewer.cancel()
            sockets = tuple(services.open_sockets)
            goodbyes = (s.close(code=aiohttp.WSCloseCode.GOING_AWAY) for s in sockets)
            await asyncio.gather(*goodbyes, return_exceptions=True)

        app.on_shutdown.append(hang_up)
        # No access log: query strings may carry callback credentials.
        runner = web.AppRunner(
            app,
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=self._settings.close_timeout_s,
        )
        await listen(runner, self._host, self._wanted_port)
        self._port = int(runner.addresses[0][1])
        return runner


def _guard(watch: Watch) -> Middleware:
    """Return what every request passes first and every answer last."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        request_id = new_request_id()
        REQUEST_ID.set(request_id)
        PROJECT_ID.set(None)
        if not watch.observers or request.path == "/" or request.path.startswith(_control.PREFIX):
            return (await _answer(request, handler, request_id))[0]
        watch.asked(request_id, request)
        answer: web.StreamResponse | None = None
        refusal: Refusal | None = None
        try:
            answer, refusal = await _answer(request, handler, request_id)
            return answer
        finally:
            watch.answered(request_id, request, answer, refusal)

    return guard


async def _answer(
    request: web.Request, handler: Handler, request_id: str
) -> tuple[web.StreamResponse, Refusal | None]:
    """Return the answer to a request, and the refusal that it is, if it is one."""
    refusal: Refusal
    try:
        return await handler(request), None
    except Refusal as refused:
        refusal = refused
    except web.HTTPNotFound:
        refusal = Refusal(*NOT_FOUND)
    except web.HTTPMethodNotAllowed:
        refusal = Refusal(*METHOD_NOT_ALLOWED)
    except web.RequestPayloadError:
        refusal = bad_request("Bad Request: the body could not be read.")
        answer = refusal.response(request_id)
        # Nobody knows where the next request begins.
        answer.force_close()
        return answer, refusal
    except (web.HTTPException, ConnectionResetError):
        # The latter is a client that has left while its answer was written.
        raise
    except Exception:  # an endpoint's defect becomes the service's answer to one, and is logged
        _log.exception("defect while serving %s %s", request.method, request.path)
        refusal = Refusal(500, "Internal Server Error", "Internal server error.")
    return refusal.response(request_id), refusal


async def _add_ids(request: web.Request, response: web.StreamResponse) -> None:
    del request
    response.headers["dg-request-id"] = REQUEST_ID.get()
    project_id = PROJECT_ID.get()
    if project_id is not None:
        response.headers["dg-project-id"] = project_id
