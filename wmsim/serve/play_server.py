"""Runs the play server: opens the world and its twin, listens, prints the address, opens the browser."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gymnasium

from wmsim.env.task import TASKS, EnvConfig, Task, open_world
from wmsim.named import named
from wmsim.serve.memory import keep_for_good
from wmsim.serve.play_config import PlayConfig, is_loopback
from wmsim.world import World

_EVERYWHERE = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Opened:
    """A world to play, its twin or None, the camera that is shown, and what its pictures are."""

    world: World
    twin: World | None
    camera: str
    made: str

    def close(self) -> None:
        """Close both."""
        for world in (self.world, self.twin):
            if world is not None:
                world.close()


def open_target(target: str, slots: int, settings: Mapping[str, Any], twin: bool = True) -> Opened:
    """The world that `target` names and its twin, each with `slots` slots.

    target: a Gymnasium id of ours, the name of a shipped dream, a checkpoint's path, the address of a served world
    (scheme://...), or module:factory, called with slots=. settings: of `EnvConfig`, and world. twin: open it where
    there is one. Errors as `open_world`, and ValueError for an unknown target or setting.
    """
    module, colon, name = target.rpartition(":")
    if colon and module.replace(".", "").isidentifier() and name.isidentifier():
        factory = named(target, "a world as module:factory")
        return Opened(factory(slots=slots, **settings), None, "", "generated")
    task, source = _task_of(target)
    world = settings.get("world", source)
    config = _config_of({name: value for name, value in settings.items() if name != "world"})
    opened = open_world(world, task, slots, config)
    if "://" in target:
        task = TASKS.get(opened.spec.name, task)
    simulated = world == "sim" or (world is None and task.default_world == "sim")
    beside = None if simulated or not twin else _twin_of(opened, task, slots)
    return Opened(opened, beside, task.camera, "simulated" if simulated else "generated")


def _task_of(target: str) -> tuple[Task, str | None]:
    """The task, and the world that stands in the name; None where the task's own is meant."""
    if target in gymnasium.registry and "task" in gymnasium.registry[target].kwargs:
        return TASKS[gymnasium.registry[target].kwargs["task"]], None
    if target in TASKS and TASKS[target].dream:
        return TASKS[target], None
    if "://" in target:
        return TASKS["world"], target
    if Path(target).exists() or target.endswith(".safetensors"):
        from wmsim.checkpoint import read_note

        if not Path(target).exists():
            raise FileNotFoundError(f"there is no checkpoint at {target!r}")
        return TASKS.get(str(read_note(Path(target))["card"].get("name")), TASKS["world"]), target
    known = [name for name, spec in gymnasium.registry.items() if "task" in spec.kwargs]
    raise ValueError(
        f"{target!r} cannot be played: name 'drive', one of {known}, a checkpoint's path, or module:factory"
    )


def _config_of(settings: Mapping[str, Any]) -> EnvConfig:
    try:
        return EnvConfig(**{"reward": "none", "termination": "none", **settings})
    except TypeError as fault:
        raise ValueError(f"unknown setting: {fault}") from fault


def _twin_of(world: World, task: Task, slots: int) -> World | None:
    """The simulator of the task, where it is installed and shows what the world shows."""
    if not task.sim:
        return None
    shape = world.spec.cameras[task.camera]
    size = shape[0] if "size" in task.sim_options else None
    try:
        twin = open_world("sim", task, slots, EnvConfig(size=size))
    except ImportError as missing:
        print(f"no twin beside it: {missing}", file=sys.stderr)
        return None
    if twin.spec.cameras[task.camera] == shape and set(twin.spec.controls) == set(world.spec.controls):
        return twin
    twin.close()
    return None


def with_token(config_host: str, token: str) -> str:
    """The token that is asked for: as given, or a fresh one where other machines can reach the address."""
    return token or ("" if is_loopback(config_host) else secrets.token_urlsafe(24))


def serve(config: PlayConfig, opened: Opened, browser: bool = True) -> None:
    """Serve until interrupted, then close the worlds. ImportError: the extra is missing; OSError: the port is taken."""
    try:
        import uvicorn
    except ImportError as missing:
        raise ImportError("the play server needs uvicorn: pip install 'wmsim[serve]'") from missing
    from wmsim.serve.play_app import make_app

    # Threads of the worlds hand the interpreter over after 1 ms instead of 5: keys and frames wait less.
    sys.setswitchinterval(0.001)
    listening = listen(config)
    names = (*config.hosts, socket.gethostname()) if config.host in _EVERYWHERE else config.hosts
    config = replace(config, port=listening.getsockname()[1], hosts=names)
    try:
        server = uvicorn.Server(uvicorn_config(make_app(config, opened.world, opened.twin, opened.camera), config))
        keep_for_good()
        print(f"{opened.world.spec.name}, {opened.made}, for {config.limits.sessions}: {address(config)}", flush=True)
        if browser and _has_screen():
            webbrowser.open(address(config))
        server.run(sockets=[listening])
    finally:
        listening.close()
        opened.close()


def uvicorn_config(app: Any, config: PlayConfig) -> Any:
    """uvicorn with the limits that lie below the application: message size, headers, connections; no access log."""
    import uvicorn

    return uvicorn.Config(
        app,
        ws="websockets-sansio",
        ws_max_size=config.limits.message_bytes,
        ws_per_message_deflate=False,  # frames are noise to it, and a small message could unpack to a huge one
        h11_max_incomplete_event_size=16384,
        http="h11",
        limit_concurrency=16 * config.limits.sessions + 64,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        access_log=False,  # it would write tokens down
        server_header=False,
        proxy_headers=False,
        log_level="warning",
    )


def listen(config: PlayConfig) -> socket.socket:
    """A listening socket. OSError with the address when it is taken."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((config.host.strip("[]"), config.port))
        made.listen(128)  # a browser that is quicker than the server waits instead of being turned away
    except OSError as fault:
        made.close()
        raise OSError(f"{config.host}:{config.port} cannot be listened on ({fault.strerror}): pass --port") from fault
    return made


def address(config: PlayConfig) -> str:
    """The page's address, with the token in it where one is needed."""
    host = _own_address() if config.host in _EVERYWHERE else config.host
    bare = f"[{host}]" if ":" in host else host
    return f"http://{bare}:{config.port}/" + (f"?token={quote(config.token, safe='')}" if config.token else "")


def _has_screen() -> bool:
    """Whether a window can be opened; a browser in the terminal would take it over."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _own_address() -> str:
    """The address under which other machines reach this one; its name where there is no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            # Connecting a datagram socket sends nothing: it only chooses the address to send from.
            asking.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostname()
        return str(asking.getsockname()[0])
