"""Who may come in: Host, Origin and token are checked before anything else, and every answer carries security headers.

A page elsewhere cannot reach the server by a name of its own (Host), open a session in a visitor's name (Origin), nor
guess the token; a token in the address is put into a cookie at once, so that it stays in no history.
"""

from __future__ import annotations

import hmac
import ipaddress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wmsim.serve.play_config import PlayConfig, is_loopback

COOKIE = "wmsim_play"

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=(), gamepad=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Guard:
    """An ASGI application in front of another: refuses whoever does not belong there."""

    def __init__(self, app: ASGIApp, config: PlayConfig) -> None:
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it: 421 wrong host, 403 wrong origin, 401 no token."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        told = _headers(scope)
        if not self.knows_host(told.get("host", "")):
            await _refuse(scope, receive, send, 421, "this server is not reached under that name: see --allow-host")
        elif scope["type"] == "websocket" and not self.knows_origin(told.get("origin", ""), told.get("host", "")):
            await _refuse(scope, receive, send, 403, "sessions are opened from the server's own page")
        elif self._brings_token(scope):
            await self._keep_token(scope, receive, send)
        elif self._config.token and not self.knows_token(_cookie(told.get("cookie", ""))):
            await _refuse(scope, receive, send, 401, "this server needs a token: open the address with ?token=...")
        else:
            await self._app(scope, receive, _with_headers(send))

    def knows_host(self, host: str) -> bool:
        """Whether a Host header names this server; an address without a name is no rebound one."""
        name = _name_of(host)
        config = self._config
        if not name:
            return False
        if name in {config.host.strip("[]").lower(), *(one.lower() for one in config.hosts)} or is_loopback(name):
            return True
        return config.host in ("0.0.0.0", "::") and _is_address(name)

    def knows_origin(self, origin: str, host: str) -> bool:
        """Whether a WebSocket is opened by a page of this server, or of a named one."""
        if origin in self._config.origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()

    def knows_token(self, token: str) -> bool:
        """Whether it is the token; takes as long for a wrong one."""
        return hmac.compare_digest(token.encode(), self._config.token.encode())

    def _brings_token(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not self._config.token:
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return self.knows_token(given)

    async def _keep_token(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Always to the page: a path of the visitor's choice could name another server.
        answer = RedirectResponse(scope.get("root_path", "") + "/", 303)
        secure = scope["scheme"] == "https"
        answer.set_cookie(COOKIE, self._config.token, httponly=True, samesite="strict", secure=secure, path="/")
        await answer(scope, receive, _with_headers(send))


def _headers(scope: Scope) -> dict[str, str]:
    """The headers by name; one that is told twice is told by nobody honest and counts as missing."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        found[name] = "" if name in found and name in ("host", "origin") else value.decode("latin-1")
    return found


def _name_of(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sending


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str) -> None:
    if scope["type"] == "websocket":
        # Before it is accepted, closing answers the handshake with 403.
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status, "reason": reason})
        return
    await PlainTextResponse(reason, status)(scope, receive, _with_headers(send))
