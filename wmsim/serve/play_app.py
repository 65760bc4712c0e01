"""The play server as a FastAPI application: the page, the sessions' WebSocket, and figures; made from a world.

The factory knows nothing of sockets or addresses, so uvicorn, a test or Ray Serve run the same application.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

try:
    from fastapi import FastAPI, WebSocket
    from fastapi.responses import JSONResponse, Response
except ImportError as missing:
    raise ImportError("the play server needs FastAPI: pip install 'wmsim[serve]'") from missing

from wmsim.serve.play_config import PlayConfig
from wmsim.serve.play_guard import Guard
from wmsim.serve.session_pool import SessionPool
from wmsim.serve.session_socket import serve_socket
from wmsim.serve.session_stage import Stage, make_stage
from wmsim.world import World

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def make_app(config: PlayConfig, world: World, twin: World | None = None, camera: str = "") -> FastAPI:
    """The application that plays `world`, beside `twin` where there is one; whoever made the worlds closes them.

    camera: the one that is shown, "" for the world's first. ValueError: a world that nobody can steer, or a twin that
    is none of this world.
    """
    stage = make_stage(config, world, twin, camera)

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = SessionPool(stage)
        app.state.pool.start()
        yield
        await app.state.pool.stop()

    app = FastAPI(title="wmsim play", docs_url=None, redoc_url=None, openapi_url=None, lifespan=running)
    app.add_middleware(Guard, config=config)
    _add_page(app)
    _add_sessions(app, hello_of(stage))
    return app


def hello_of(stage: Stage) -> dict[str, Any]:
    """What a page is told of the world when its session begins."""
    spec, limits = stage.world.spec, stage.limits
    height, width, _ = stage.shape()
    return {
        "world": spec.name, "made": stage.config.made, "twin_made": stage.config.twin_made,
        "rate": spec.frames_per_second, "width": width, "height": height, "steering": stage.steering.kind,
        "twin": stage.twin is not None, "draw": stage.ground is not None, "photo": stage.takes_starts,
        "events": None if spec.events is None else list(spec.events), "uncertainty": spec.uncertainty,
        "photo_bytes": limits.message_bytes - 1, "rewind": limits.rewind_seconds, "film": limits.film_seconds,
        "licence": spec.licence, "voice": limits.voice_seconds if stage.hearing.speech else 0,
    }  # fmt: skip


def _add_page(app: FastAPI) -> None:
    """The files of the page, read once: no path of a visitor's choice is ever opened."""
    folder = files("wmsim.serve") / "page"
    for file in folder.iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            path = "/" if file.name == "index.html" else f"/{file.name}"
            app.add_api_route(path, _given(file.read_bytes(), kind), methods=["GET"])


def _given(body: bytes, kind: str) -> Any:
    async def answer() -> Response:
        return Response(body, media_type=f"{kind}; charset=utf-8")

    return answer


def _add_sessions(app: FastAPI, hello: dict[str, Any]) -> None:
    async def session(socket: WebSocket) -> None:
        await serve_socket(socket, app.state.pool, hello)

    async def figures() -> JSONResponse:
        return JSONResponse(app.state.pool.told())

    app.add_api_websocket_route("/session", session)
    app.add_api_route("/figures", figures, methods=["GET"])
