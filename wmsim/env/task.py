"""What an environment is made of: the task, the settings, and the world that a name, a path or an object stands for."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wmsim.world import World

if TYPE_CHECKING:
    from wmsim.dream import Randomise


@dataclass(frozen=True)
class Task:
    """A task fixes the spaces and the end; the world is an argument.

    camera: the one that is rendered, "" for the world's first. sim: "module:Class" of the twin, which `world="sim"`
    makes, "" where there is none. sim_options: the settings that the twin takes. dream: the name that
    `wmsim.dream.load` knows, "" where no dream ships. controls: kinds offered, the first is the default; none: those
    that the world takes. max_episode_frames: frames until truncation.
    """

    name: str
    camera: str
    sim: str
    sim_options: tuple[str, ...]
    dream: str
    controls: tuple[str, ...]
    max_episode_frames: int

    @property
    def default_world(self) -> str:
        """What `world=None` stands for."""
        return "dream" if self.dream else "sim"


TASKS: Mapping[str, Task] = {
    "drive": Task(
        name="drive",
        camera="front",
        sim="wmsim.sims.drive:DriveWorld",
        sim_options=("size", "renderer", "outputs"),
        dream="drive",
        controls=("wheel", "keyboard", "trajectory"),
        max_episode_frames=60 * 16,
    ),
    "toy": Task(
        name="toy",
        camera="top",
        sim="wmsim.sims.toy:ToyWorld",
        sim_options=("size", "device", "outputs"),
        dream="",
        controls=("wheel", "keyboard", "trajectory"),
        max_episode_frames=15 * 16,
    ),
    "world": Task(name="world", camera="", sim="", sim_options=(), dream="", controls=(), max_episode_frames=1000),
}


@dataclass(frozen=True)
class EnvConfig:
    """Settings that both environments take by name.

    control: kind of action, held for the frames of one step. observation: "image", or "dict" with "image" and
    "proprio". output: "torch" leaves tensors on the world's device. info: extra outputs asked of the world ("state",
    "depth", ...). reward / termination: "none" declares that the world has none and 0 / False is wanted instead.
    max_episode_steps: steps until truncation instead of the task's limit. pessimism: times the world's uncertainty of
    a step is taken from its reward (MOPO, arXiv 2005.13239); halt: uncertainty above which an episode is truncated
    (after MOReL, 2005.05951): an agent then gains nothing where the dream does not know. randomise: the dream draws
    its passes a frame and the noise on its memory anew for every episode; true, or what `wmsim.dream.Randomise` takes.
    starts: a recorded dataset (or several), of which every episode begins at some moment, drawn by its seed, or
    {"data": it, "seconds": only moments so early in their episode, "best": only the share of episodes with the highest
    reward a frame}. size, device, steps (sampling steps of the dream), renderer: passed to the world, None for its own
    default; world_kwargs: anything else it takes.
    """

    control: str = ""
    observation: str = "image"
    output: str = "numpy"
    info: Sequence[str] = ()
    reward: str = "world"
    termination: str = "world"
    max_episode_steps: int | None = None
    pessimism: float = 0.0
    halt: float | None = None
    randomise: bool | Mapping[str, Any] = False
    starts: str | Path | Sequence[str | Path] | Mapping[str, Any] | None = None
    size: int | None = None
    device: str | None = None
    steps: int | None = None
    renderer: str | None = None
    world_kwargs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """ValueError names the setting, its value and the choices."""
        _choose("observation", self.observation, ("image", "dict"))
        _choose("output", self.output, ("numpy", "torch"))
        _choose("reward", self.reward, ("world", "none"))
        _choose("termination", self.termination, ("world", "none"))
        if self.max_episode_steps is not None and self.max_episode_steps < 1:
            raise ValueError(f"max_episode_steps is at least 1, got {self.max_episode_steps}")
        if self.pessimism < 0:
            raise ValueError(f"pessimism is at least 0, got {self.pessimism}")
        if self.halt is not None and self.halt <= 0:
            raise ValueError(f"halt is an uncertainty above 0, got {self.halt}")
        if isinstance(self.info, str):
            raise ValueError(f'info is a sequence of names: write ("{self.info}",)')


def find_task(task: str | Task) -> Task:
    """The task of that name; ValueError lists the names."""
    if isinstance(task, Task):
        return task
    _choose("task", task, tuple(TASKS))
    return TASKS[task]


def open_world(world: str | Path | World | None, task: Task, slots: int, config: EnvConfig) -> World:
    """The world meant by "dream", "sim", a checkpoint's path, a pool's ray://NAME, or a World, with `slots` slots.

    ValueError: an unknown name, a setting or an output that this world does not take, too few slots, a world that
    lacks a reward or a termination that was not declared away. FileNotFoundError: no checkpoint there.
    ConnectionError: no Ray there. `wmsim.serve.errors.Busy`: a pool with fewer free slots.
    """
    chosen = task.default_world if world is None else world
    if chosen == "sim" and not task.sim:
        raise ValueError(f"task {task.name!r} has no simulator: pass world= the path of a checkpoint, or a World")
    if isinstance(chosen, World):
        opened = _given(chosen, slots, config)
    elif chosen == "sim":
        opened = _sim(task, slots, config)
    elif str(chosen).startswith("ray://"):
        opened = _served(str(chosen), slots, config)
    else:
        opened = _dream(find_source(chosen, task), slots, config)
    try:
        _agree(opened, task, config)
    except ValueError:
        if opened is not chosen:
            opened.close()
        raise
    return opened


def _given(world: World, slots: int, config: EnvConfig) -> World:
    wanted = [n for n in ("size", "device", "steps", "renderer") if getattr(config, n) is not None]
    wanted += ["randomise"] if config.randomise else []
    if wanted or config.world_kwargs:
        raise ValueError(f"{wanted or list(config.world_kwargs)} cannot be set on a world that is already made")
    if world.slots < slots:
        raise ValueError(f"{slots} environments need a world of {slots} slots, this one has {world.slots}")
    return world


def _served(address: str, slots: int, config: EnvConfig) -> World:
    from wmsim.serve.client import RemoteWorld

    fixed = [n for n in ("size", "steps", "renderer") if getattr(config, n) is not None]
    fixed += (["info"] if config.info else []) + (["randomise"] if config.randomise else [])
    if fixed:
        raise ValueError(f"{fixed} cannot be set on a served world: set it where the pool is started (wmsim serve -s)")
    return RemoteWorld(address, slots, device=config.device or "cpu", **config.world_kwargs)


def _sim(task: Task, slots: int, config: EnvConfig) -> World:
    asked = {n: getattr(config, n) for n in ("size", "device", "steps", "renderer") if getattr(config, n) is not None}
    if config.randomise:
        raise ValueError("a simulator has no sampler to randomise: leave randomise out, or pass world='dream'")
    if asked.get("device") == "cpu":
        asked.pop("device")
    if config.info:
        asked["outputs"] = tuple(config.info)
    alien = sorted(set(asked) - set(task.sim_options))
    if alien:
        raise ValueError(f"the {task.name!r} simulator does not take {alien}: it takes {list(task.sim_options)}")
    made = pkgutil.resolve_name(task.sim)(slots=slots, **asked, **config.world_kwargs)
    assert isinstance(made, World)
    return made


def find_source(world: object, task: Task) -> str | Path:
    """What `wmsim.dream.load` is asked for: a shipped dream's name or a path. Errors as in `open_world`."""
    choices = [f"'{name}'" for name in ("dream", "sim") if getattr(task, name)] + [
        "the path of a checkpoint",
        "a World",
    ]
    if world == "dream" and task.dream:
        return task.dream
    if not isinstance(world, str | Path):
        missing = [name for name in ("spec", "slots", "device", "reset", "step") if not hasattr(world, name)]
        raise ValueError(f"a {type(world).__name__} is no World (it lacks {missing}): choose {', '.join(choices)}")
    if Path(world).exists():
        return Path(world)
    if "://" not in str(world) and (Path(world).suffix or len(Path(world).parts) > 1):
        raise FileNotFoundError(f"there is no checkpoint at {str(world)!r}: choose {', '.join(choices)}")
    raise ValueError(f"unknown world {str(world)!r}: choose {', '.join(choices)}")


def _dream(source: str | Path, slots: int, config: EnvConfig) -> World:
    from wmsim import dream

    if config.info or config.renderer is not None:
        wrong = f"info={config.info}" if config.info else f"renderer={config.renderer!r}"
        raise ValueError(f"a dream has no {wrong}: only a simulator has; leave it out or pass world='sim'")
    drawn = {"randomise": _randomise(config.randomise)} if config.randomise else {}
    asked = {"device": config.device or "cpu", "steps": config.steps, **drawn, **config.world_kwargs}
    made: World = dream.load(source, slots=slots, **asked)
    sizes = {name: shape[:2] for name, shape in made.spec.cameras.items()}
    if config.size is not None and any(shape != (config.size, config.size) for shape in sizes.values()):
        made.close()
        raise ValueError(f"size={config.size} asked, this checkpoint dreams {sizes}: leave size out or load another")
    return made


def _randomise(asked: bool | Mapping[str, Any]) -> Randomise:
    from wmsim.dream import Randomise

    given = asked if isinstance(asked, Mapping) else {}
    return Randomise(**{name: tuple(value) for name, value in given.items()})


def _agree(world: World, task: Task, config: EnvConfig) -> None:
    spec = world.spec
    if task.camera and task.camera not in spec.cameras:
        raise ValueError(f"task {task.name!r} needs camera {task.camera!r}, {spec.name!r} has {list(spec.cameras)}")
    for head in ("reward", "termination"):
        if not getattr(spec, head) and getattr(config, head) == "world":
            raise ValueError(f"world {spec.name!r} has no {head}: pass {head}='none' to declare that you want none")
    if (config.pessimism or config.halt is not None) and not spec.uncertainty:
        raise ValueError(f"world {spec.name!r} tells no uncertainty: leave pessimism and halt out")
    if config.observation == "dict" and not spec.proprio:
        raise ValueError(f"world {spec.name!r} has no proprioception: use observation='image'")


def _choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"unknown {name} {value!r}: choose one of {list(choices)}")
