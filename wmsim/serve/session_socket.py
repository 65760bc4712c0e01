"""One WebSocket served: reads messages under limits, sends what waits, ends with a code and a reason."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from wmsim.serve.play_messages import Malformed, parse
from wmsim.serve.session import Session
from wmsim.serve.session_pace import Bucket
from wmsim.serve.session_pool import FAILED, Ended, SessionPool, seat
from wmsim.serve.session_work import work

_LOG = logging.getLogger(__name__)

MALFORMED, TOO_FAST, TOO_LONG = 4400, 4429, 4408


async def serve_socket(socket: WebSocket, pool: SessionPool, hello: dict[str, Any]) -> None:
    """Serve one visitor from the handshake to the end; whatever goes wrong ends this session alone."""
    await socket.accept()
    try:
        with seat(pool) as session:
            session.outbox.note("hello", **hello)
            why = await _until_over(socket, pool, session)
    except Ended as refused:
        why = refused
    if why.code and socket.client_state is WebSocketState.CONNECTED:
        await _close(socket, why)


async def _until_over(socket: WebSocket, pool: SessionPool, session: Session) -> Ended:
    jobs = [_read(socket, pool, session), _send(socket, session), work(session), _watch(pool, session)]
    tasks = [asyncio.create_task(_told(job)) for job in jobs] + [asyncio.create_task(pool.ended(session))]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _told(job: Coroutine[Any, Any, None]) -> Ended:
    """Why a job came to an end; an end without a code is the visitor's own."""
    try:
        await job
    except Ended as why:
        return why
    except (WebSocketDisconnect, OSError, RuntimeError) as gone:
        if isinstance(gone, RuntimeError) and "disconnect" not in str(gone) and "close" not in str(gone):
            return _failed(gone)
        return Ended(0, "the page was closed")
    except Exception as fault:
        return _failed(fault)
    return Ended(0, "")


def _failed(fault: Exception) -> Ended:
    """The visitor learns that it failed, the log why: an error's text may tell what is none of a visitor's business."""
    _LOG.error("a session failed", exc_info=fault)
    return Ended(FAILED, "the session failed: the server's log says why")


async def _read(socket: WebSocket, pool: SessionPool, session: Session) -> None:
    limits = pool.stage.limits
    bucket = Bucket(limits.messages_per_second)
    while True:
        told = await socket.receive()
        if told["type"] != "websocket.receive":
            raise WebSocketDisconnect(told.get("code", 1005))
        if not bucket.take(time.monotonic()):
            raise Ended(TOO_FAST, f"more than {limits.messages_per_second:g} messages a second")
        given = told.get("bytes")
        try:
            session.receive(parse(given if given is not None else told.get("text") or "", limits))
        except Malformed as fault:
            raise Ended(MALFORMED, f"malformed message: {fault}") from fault


async def _send(socket: WebSocket, session: Session) -> None:
    while True:
        message = await session.outbox.next()
        if isinstance(message, str):
            await socket.send_text(message)
        else:
            await socket.send_bytes(message)


async def _watch(pool: SessionPool, session: Session) -> None:
    """Ends a session that is too old, or that nobody touches."""
    limits = pool.stage.limits
    while True:
        now = time.monotonic()
        over, idle = session.opened_at + limits.session_seconds, session.heard_at + limits.idle_seconds
        if now >= min(over, idle):
            why = "of a session" if now >= over else "without anything done"
            after = limits.session_seconds if now >= over else limits.idle_seconds
            raise Ended(TOO_LONG, f"{after:g} seconds {why} are over: open another")
        await asyncio.sleep(min(min(over, idle) - now, 5.0))


async def _close(socket: WebSocket, why: Ended) -> None:
    try:
        # A visitor who reads nothing must not hold the slot's server up.
        await asyncio.wait_for(socket.close(why.code, why.reason), 5.0)
    except (TimeoutError, OSError, RuntimeError, WebSocketDisconnect):
        return
