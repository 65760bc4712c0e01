"""The `wmsim` command, which tells in one line, with exit code 2, what the user has to put right."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import gymnasium
import typer

import wmsim
from wmsim import conformance
from wmsim.checkpoint import read_note
from wmsim.conformance import CheckConfig
from wmsim.serve.errors import PoolError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

_USER_ERRORS = (ValueError, OSError, ImportError, PoolError, gymnasium.error.Error)
_EXTRAS = {
    "mujoco": "sim",
    "pyarrow": "data",
    "av": "data",
    "hydra": "train",
    "omegaconf": "train",
    "tensorboard": "train",
    "pygame": "render",
    "ray": "ray",
    "fastapi": "serve",
    "uvicorn": "serve",
}


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave the process: 0 done, 1 a check failed, 2 something that the user can put right.

    arguments: those of the process by default. WMSIM_TRACEBACK=1 in the environment lets the whole traceback through.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # so that module:callable finds what lies in this folder, as `python -m` would
    try:
        app(args=arguments, prog_name="wmsim")
    except Exception as error:
        if os.environ.get("WMSIM_TRACEBACK") or not _is_of_the_user(error):
            raise
        print(f"wmsim: {_line_of(error)}", file=sys.stderr)
        raise SystemExit(2) from None


def _is_of_the_user(error: Exception) -> bool:
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, _USER_ERRORS) or package in ("hydra", "omegaconf")


def _line_of(error: BaseException) -> str:
    """One line for the user; a missing optional package is told with the extra that brings it."""
    missing = (getattr(error, "name", None) or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and missing in _EXTRAS:
        extra = _EXTRAS[missing]
        return f"{missing} is not installed: pip install 'wmsim[{extra}]'"
    return " ".join(str(error).split()) or type(error).__name__


def options_of(pairs: list[str]) -> dict[str, Any]:
    """Settings from texts like world=sim, size=128 or info=["state"]: values are JSON, or else plain text.

    ValueError for a text without a name and an equals sign.
    """
    settings = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (equals and name.isidentifier()):
            raise ValueError(f"{pair!r} is no setting: write name=value")
        try:
            settings[name] = json.loads(text)
        except json.JSONDecodeError:
            settings[name] = text
    return settings


Settings = Annotated[
    list[str] | None, typer.Option("--set", "-s", help="a setting of the environment, name=value; may be repeated")
]


@app.command()
def record(
    env: Annotated[str, typer.Argument(help="a Gymnasium id, or module:id where importing the module registers it")],
    out: Annotated[Path, typer.Argument(help="the folder of the dataset; what is there already counts and stays")],
    episodes: Annotated[int | None, typer.Option(help="stop at so many episodes; this or --frames")] = None,
    frames: Annotated[int | None, typer.Option(help="stop at so many frames")] = None,
    policy: Annotated[
        str,
        typer.Option(help="random, wander, replay, driver (for the Drive twin), PATH.onnx or module:callable"),
    ] = "random",
    level: Annotated[
        list[str] | None,
        typer.Option(help='settings of the policy as JSON, such as {"rest": 0.2}; if repeated, episodes take turns'),
    ] = None,
    seed: Annotated[int, typer.Option(help="episode i is keyed by seed + i")] = 0,
    workers: Annotated[int, typer.Option(help="processes that record at the same time")] = 1,
    max_steps: Annotated[int, typer.Option(help="longer episodes are cut")] = 1000,
    size: Annotated[int | None, typer.Option(help="resize pictures to size x size")] = None,
    image: Annotated[str | None, typer.Option(help="the key of a Dict observation that holds the picture")] = None,
    render: Annotated[bool, typer.Option(help="record env.render() instead of the observation")] = False,
    rate: Annotated[float | None, typer.Option(help="frames per second where the environment does not tell")] = None,
    events: Annotated[
        str | None, typer.Option(help="tell events at random: module:MAPPING of each to its captions")
    ] = None,
    event_seconds: Annotated[float, typer.Option(help="mean time between two tellings")] = 6.0,
    settings: Settings = None,
) -> None:
    """Record episodes of any Gymnasium environment that shows a picture, in the LeRobot v3 layout."""
    from wmsim.data.record import RecordConfig, record
    from wmsim.data.rollout import Declared, ViewConfig
    from wmsim.data.telling import TellingConfig, captions_of

    config = RecordConfig(
        env=env,
        out=out,
        episodes=episodes,
        frames=frames,
        policy=policy,
        levels=tuple(_level(text) for text in level or ()),
        seed=seed,
        workers=workers,
        max_steps=max_steps,
        view=ViewConfig(image=image, render=render, size=(size, size) if size else None),
        declared=Declared(frames_per_second=rate),
        kwargs=options_of(settings or []),
        events=TellingConfig(captions_of(events), event_seconds) if events else None,
    )
    done = record(config)
    print(f"{done.root}: {done.episodes} episodes, {done.frames} frames")


def _level(text: str) -> dict[str, Any]:
    """Settings of a policy. ValueError: no JSON object."""
    try:
        level = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"--level takes a JSON object, got {text!r}: {error}") from error
    if not isinstance(level, dict):
        raise ValueError(f"--level takes a JSON object, got {text!r}")
    return level


@app.command()
def check(
    target: Annotated[
        str,
        typer.Argument(help="a Gymnasium id, a checkpoint's path, module:factory of a World, or a pool's ray://NAME"),
    ],
    frames: Annotated[int, typer.Option(help="length of a short trial")] = CheckConfig.frames,
    long_frames: Annotated[int, typer.Option(help="length of the long trial")] = CheckConfig.long_frames,
    seed: Annotated[int, typer.Option(help="of the episodes and of the scripts of controls")] = CheckConfig.seed,
    sparse_reward: Annotated[bool, typer.Option(help="a reward of 0 for hundreds of frames is right")] = False,
    settings: Settings = None,
) -> None:
    """Hold a world or an environment to the contract; the exit code is 1 when a check fails."""
    config = CheckConfig(frames=frames, long_frames=long_frames, seed=seed, sparse_reward=sparse_reward)
    path = _checkpoint_of(target)
    if path is not None:
        read_note(path)  # a damaged file is told once, not by every check
    report = conformance.check(str(path or target), config, **options_of(settings or []))
    report.print()
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def info(
    target: Annotated[str, typer.Argument(help="a checkpoint's path, the name of one that ships, or a Gymnasium id")],
    settings: Settings = None,
) -> None:
    """Print what a checkpoint or an environment is: frames, controls, training, metrics, licence."""
    path = _checkpoint_of(target)
    facts = _facts_of_env(target, options_of(settings or [])) if path is None else _facts_of_checkpoint(path)
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name:<{width}}  {value}")


def _checkpoint_of(target: str) -> Path | None:
    """The file that `target` names by its path or as a checkpoint that ships; None when it must be an environment."""
    from wmsim.dream import shipped

    if target in shipped():
        return Path(wmsim.__file__).parent / "assets" / f"{target}.safetensors"
    return Path(target) if Path(target).exists() or target.endswith(".safetensors") else None


def _facts_of_checkpoint(path: Path) -> dict[str, Any]:
    card = read_note(path)["card"]
    nested = {f"{part}.{name}": value for part in ("training", "metrics") for name, value in card.pop(part).items()}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": path, "bytes": path.stat().st_size, "sha256": digest, **card, **nested}


def _facts_of_env(target: str, settings: dict[str, Any]) -> dict[str, Any]:
    env: gymnasium.Env[Any, Any] = gymnasium.make(target, **settings)
    try:
        facts = {"id": target, "observation": env.observation_space, "action": env.action_space}
        world = getattr(env.unwrapped, "world", None)
        return facts | (vars(world.spec) if isinstance(world, wmsim.World) else {})
    finally:
        env.close()


@app.command()
def serve(
    world: Annotated[str, typer.Argument(help="a dream that ships (drive), a checkpoint's path, or module:factory")],
    name: Annotated[str, typer.Option(help="clients find the pool as ray://NAME")] = "pool",
    replicas: Annotated[int, typer.Option(help="actors, each with a world of its own")] = 1,
    slots: Annotated[int, typer.Option(help="slots that each replica leases out")] = 16,
    cpus: Annotated[float, typer.Option(help="processors of each replica")] = 1.0,
    gpus: Annotated[float, typer.Option(help="GPUs of each replica")] = 0.0,
    address: Annotated[str | None, typer.Option(help="a Ray cluster: auto, or host:port; none starts Ray here")] = None,
    wait_ms: Annotated[float, typer.Option(help="how long a batch waits for more steps, at least")] = 3.0,
    snapshot_every: Annotated[int, typer.Option(help="steps of a slot between two snapshots")] = 32,
    lease_seconds: Annotated[float, typer.Option(help="a client silent for so long loses its slots")] = 30.0,
    grace: Annotated[float, typer.Option(help="seconds that clients get to finish after Ctrl-C")] = 10.0,
    settings: Settings = None,
) -> None:
    """Serve a world to many clients from a pool of Ray actors; environments step it as world="ray://NAME"."""
    from wmsim.serve.command import serve as run
    from wmsim.serve.config import PoolConfig

    config = PoolConfig(
        name=name,
        replicas=replicas,
        slots=slots,
        cpus=cpus,
        gpus=gpus,
        wait_ms=wait_ms,
        snapshot_every=snapshot_every,
        lease_seconds=lease_seconds,
    )
    run(world, config, address, grace, options_of(settings or []))


@app.command()
def play(
    target: Annotated[
        str, typer.Argument(help="a Gymnasium id, a shipped dream's name, a checkpoint's path, or module:factory")
    ] = "drive",
    host: Annotated[str, typer.Option(help="address to listen on; any but loopback asks for a token")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one")] = 8017,
    token: Annotated[str, typer.Option(help="what visitors must bring; drawn and printed where one is needed")] = "",
    allow_host: Annotated[list[str] | None, typer.Option(help="a name under which the server is reached too")] = None,
    origin: Annotated[list[str] | None, typer.Option(help="another page that may open sessions, https://name")] = None,
    sessions: Annotated[int, typer.Option(help="people at the same time")] = 4,
    minutes: Annotated[float, typer.Option(help="length of a session")] = 60.0,
    twin: Annotated[bool, typer.Option(help="offer the simulator beside it, where there is one")] = True,
    open: Annotated[bool, typer.Option(help="open the page in a browser")] = True,
    settings: Settings = None,
) -> None:
    """Drive a world in a browser: keys, mouse, gamepad, touch, or a line drawn on the road."""
    from wmsim.serve.play_config import Limits, PlayConfig
    from wmsim.serve.play_server import open_target, serve, with_token

    limits = Limits(sessions=sessions, session_seconds=60 * minutes)
    names, pages = tuple(allow_host or ()), tuple(origin or ())
    config = PlayConfig(host, port, with_token(host, token), names, pages, limits=limits)
    opened = open_target(target, sessions, options_of(settings or []), twin)
    serve(replace(config, made=opened.made), opened, browser=open)


@app.command()
def version() -> None:
    """Print the version."""
    print(wmsim.__version__)


@app.command()
def train(
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Hydra overrides; data=FOLDER and out=FOLDER must be there")
    ] = None,
) -> None:
    """Train a world on recorded episodes; run it again to go on where it was stopped. Writes OUT/model.safetensors."""
    from wmsim.train import main as run

    run(list(overrides or []))
