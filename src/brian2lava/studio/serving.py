"""Starts the server: in front, for the command; or beside, for a notebook."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brian2lava.errors import NotSupported
from brian2lava.fit.target import Target
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import compile_all, open_desk

LOOPBACK = "127.0.0.1"
_MISSING = "the studio needs starlette, uvicorn and websockets: pip install 'brian2lava[studio]'"


@dataclass(frozen=True)
class Page:
    """A studio that runs beside the caller.

    Attributes
    ----------
    url : str
        With the token; whoever has it may use the studio.
    desk : Desk
    """

    url: str
    desk: Desk
    server: Any
    thread: threading.Thread

    def close(self) -> None:
        """End it; what was done is kept."""
        self.server.should_exit = True
        self.thread.join(timeout=10)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return (
            f'<iframe src="{self.url}" width="100%" height="900" style="border:0"'
            ' title="brian2lava studio"></iframe>'
        )


def serve(
    target: Target | None = None,
    *,
    port: int = 0,
    host: str = LOOPBACK,
    browser: bool = True,
    session: str | Path | None = None,
) -> None:
    """Serve the studio until Ctrl-C.

    Parameters
    ----------
    target : Target, optional
        What lies on the bench; else what was there last, or a built-in neuron.
    port : int
        0: any that is free.
    host : str
        Anything but a loopback address lets other machines in; they need the token all the same.
    browser : bool
        Open the page.
    session : path, optional
        The file in which everything is kept; else one in the cache folder.
    """
    desk = open_desk(target, session)
    server, listening, url = _prepare(desk, host, port)
    print(f"brian2lava studio: {url}", flush=True)
    if not _is_loopback(host):
        print(
            f"It listens on {host}: every machine that reaches this one and knows that address,"
            " token included, can use it, without encryption.",
            flush=True,
        )
    print(f"Kept in {desk.session}. Ctrl-C ends it.", flush=True)
    if browser:
        threading.Timer(0.5, webbrowser.open, [url]).start()
    threading.Thread(target=compile_all, name="brian2lava-compile", daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def show(target: Target | None = None, *, session: str | Path | None = None) -> Page:
    """Serve the studio beside the caller; in a notebook the result is the page itself."""
    desk = open_desk(target, session)
    server, listening, url = _prepare(desk, LOOPBACK, 0)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="brian2lava-studio", daemon=True
    )
    thread.start()
    ready = time.monotonic() + 30
    while not server.started and thread.is_alive() and time.monotonic() < ready:
        time.sleep(0.01)
    return Page(url, desk, server, thread)


def _is_loopback(host: str) -> bool:
    return host in (LOOPBACK, "localhost", "::1")


def _prepare(desk: Desk, host: str, port: int) -> tuple[Any, socket.socket, str]:
    try:
        import uvicorn

        from brian2lava.studio.server import LARGEST_MESSAGE, application
    except ModuleNotFoundError as error:
        raise NotSupported(f"{_MISSING} ({error.name} was not found).") from error
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # from now on a browser waits, and is not refused
    except (OSError, OverflowError) as error:
        listening.close()
        why = getattr(error, "strerror", None) or str(error)
        raise NotSupported(
            f"the studio can't listen on {host}:{port} ({why}); choose another --port,"
            " or leave it out for any that is free."
        ) from error
    token = secrets.token_urlsafe(24)
    config = uvicorn.Config(
        application(desk, token, host),
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_max_size=LARGEST_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
    )
    shown = f"[{host}]" if ":" in host else host
    shown = LOOPBACK if host == "0.0.0.0" else shown
    return uvicorn.Server(config), listening, (
        f"http://{shown}:{listening.getsockname()[1]}/{token}/"
    )  # fmt: skip
