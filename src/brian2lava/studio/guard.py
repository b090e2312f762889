"""Who may talk to the server: those who know its token, from its own page.

Refused are requests whose path does not begin with the token, whose ``Host`` is another name than
the server's (a foreign name that was made to point here), and whose ``Origin`` is another page.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_REFUSED = (
    "Refused: {reason}. Open the address that `brian2lava studio` printed; it has the token in it."
)


def policy(host: str) -> str:
    """Content-Security-Policy: nothing from elsewhere; notebooks on this machine may embed it."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
        f" connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
    )


class Guard:
    """Stands before an app and lets in what may come in.

    Parameters
    ----------
    app : App
    token : str
    host : str
        What the server listens on.
    """

    def __init__(self, app: App, token: str, host: str) -> None:
        self.app = app
        self.token = token.encode()
        self.names = {"127.0.0.1", "localhost", "[::1]", host}
        self.open = host not in ("127.0.0.1", "localhost", "::1")
        if self.open:
            self.names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        reason = self.refusal(scope["path"], host, headers.get(b"origin"), scope["type"])
        if reason is None:
            await self.app(scope, receive, _with_headers(send, host))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await _answer(send, 403, _REFUSED.format(reason=reason))

    def refusal(self, path: str, host: str, origin: str | None, kind: str) -> str | None:
        """Why a request may not come in; None: it may."""
        if not self._is_ours(host):
            return "the host of the request is not this server"
        given = path.lstrip("/").split("/", 1)[0].encode()
        if not hmac.compare_digest(given, self.token):
            return "the token is missing or wrong"
        if origin is None:
            # a browser always says where a websocket comes from
            return "the origin is not known" if kind == "websocket" else None
        return None if origin == f"http://{host}" else "the origin is another page"

    def _is_ours(self, host: str) -> bool:
        name = host.rsplit(":", 1)[0].lower() if not host.endswith("]") else host.lower()
        if name in self.names:
            return True
        if not self.open:
            return False
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def _with_headers(send: Send, host: str) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message.get("headers", []),
                (b"content-security-policy", policy(host).encode("latin-1")),
                (b"x-content-type-options", b"nosniff"),
                (b"referrer-policy", b"no-referrer"),
                (b"cross-origin-resource-policy", b"same-origin"),
                (b"cache-control", b"no-store"),
            ]
        await send(message)

    return sending


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
