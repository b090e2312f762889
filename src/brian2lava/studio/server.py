"""The web side: a page, its files, and one websocket; all behind :class:`Guard`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from brian2lava.errors import BrianLavaError
from brian2lava.studio.desk import Desk
from brian2lava.studio.guard import App, Guard

STATIC = Path(__file__).parent / "static"
#: Of a message, uploads among them; larger ones end the connection.
LARGEST_MESSAGE = 256 << 20
#: Seconds between looks at whether something has to be kept or told.
_TICK = 0.25


def application(desk: Desk, token: str, host: str) -> App:
    """The ASGI application of a desk."""
    lane = ThreadPoolExecutor(1, thread_name_prefix="brian2lava-studio")
    pages: set[WebSocket] = set()

    async def page(request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        pages.add(socket)
        loop = asyncio.get_running_loop()
        try:
            while True:
                message = await socket.receive_bytes()
                await socket.send_bytes(await loop.run_in_executor(lane, desk.respond, message))
        except (WebSocketDisconnect, RuntimeError, KeyError, asyncio.CancelledError):
            pass  # the page or the server goes away; what was asked for is done or void
        finally:
            pages.discard(socket)

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK)
            news = await loop.run_in_executor(None, desk.tick)
            if news is None:
                continue
            for socket in list(pages):
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await socket.send_bytes(news)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        ticking = asyncio.create_task(tick())
        yield
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        try:
            desk.close()
        except BrianLavaError as problem:
            logging.getLogger("brian2lava.studio").error(
                "What was done last is not kept: %s", problem
            )
        lane.shutdown(wait=False, cancel_futures=True)

    routes = [
        Route("/{token}/", page),
        WebSocketRoute("/{token}/ws", talk),
        Mount("/{token}/static", StaticFiles(directory=STATIC)),
    ]
    return Guard(Starlette(routes=routes, lifespan=lifespan), token, host)
