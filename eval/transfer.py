"""Does a policy trained in the dream alone drive in the twin? PPO in both, beside cloning, planning and chance.

    python -m eval.transfer data=recordings/drive        clone, train every seed in dream and twin, drive unseen towns
    python -m eval.transfer data=recordings/drive fast=true
    python -m eval.transfer data=recordings/racing dream=racing.safetensors env=CarRacing-v3 +view.size=[64,64]

Everything is kept in <out> and not done twice: run the same command again after a stop. Writes settings.json,
transfer.json (every row with intervals, the gap between dream and twin along training) and transfer.png.

Shape legend: E episodes, T frames, S training seeds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import hydra
import numpy as np
import torch
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents import bc, mpc, ppo
from agents.bc import BCConfig
from agents.mpc import PlanConfig, Planner
from agents.ppo import PPOConfig
from eval import report
from eval.arena import Arena, ArenaConfig, Array, Departures, Played, depart_from
from eval.doubt import doubt
from eval.machine import machine
from eval.twins import STEADY, TWINS
from wmsim import dream
from wmsim.data.cache import Roots
from wmsim.data.progress import Meter
from wmsim.env.pictured import Pictured
from wmsim.env.task import find_source, find_task
from wmsim.metrics import Interval, bootstrap_mean
from wmsim.policy import OnnxPolicy, Policy, RandomPolicy

FRAMES_PER_SECOND = 16
METRES_OF_REWARD = 10.0
"""Metres of progress that a reward of 1 stands for in the Drive twin."""

SETTINGS = "settings.json"
"""Where a run keeps its settings: `eval.agreement` reads them."""

Make = Callable[[Arena], Policy]


@dataclass(frozen=True)
class TransferConfig:
    """data: the recording (or several) cloned, whose moments are starts. dream: what is trained in, "dream" for
    what ships or a path. seeds: of training. steps: environment steps of each. episodes, frames: E and T of every row;
    before: frames until a policy takes over; first_town: seeds of unseen towns begin here. success: share of the best
    row's mean return that an episode must earn, without an end, to count. slots: played at once. env, env_kwargs, view:
    anyone's environment in the twin's place, and how it is seen (`wmsim.env.pictured.Pictured`); "" for the Drive twin.
    train, clone, plan: settings of the agents; guided: of planning around the clone. guards: of the dream that is
    trained in, beside which `unguarded` is trained without them, one seed; halt: they stop an episode where the
    uncertainty is above what that share of equally long dreams under recorded actions never reach (`eval.doubt`), 0 for
    never.
    keep: policies kept along training, for the gap. mpc: episodes of the planners' rows, 0 for none. fast: all of it
    in small.
    """

    data: Roots
    out: str
    dream: str
    seeds: int
    steps: int
    episodes: int
    frames: int
    before: int
    first_town: int
    success: float
    slots: int
    workers: int
    mpc: int
    keep: int
    halt: float
    fast: bool
    train: dict[str, Any] = field(default_factory=dict)
    env: str = ""
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    view: dict[str, Any] = field(default_factory=dict)
    guards: dict[str, Any] = field(default_factory=dict)
    clone: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)
    guided: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """A finished training: its name, the policies kept along the way and at its end (environment steps -> path),
    environment steps a second, seconds."""

    name: str
    kept: Mapping[int, Path]
    rate: float
    seconds: float

    @property
    def policy(self) -> Path:
        """The policy at its end."""
        return self.kept[max(self.kept)]

    @property
    def finished(self) -> str:
        """What that policy is called where it is played."""
        return f"{self.name}-{max(self.kept)}"


# --- training ------------------------------------------------------------------------------------------------------


def cloned(config: TransferConfig, share: float = 1.0) -> Path:
    """The folder of a clone of a share of the recording, made where there is none."""
    folder = Path(config.out) / ("clone" if share == 1 else f"clone-{share:g}")
    if not (folder / "actor.pt").exists():
        spaces = {"env": dream_id(config), "env_kwargs": {"observation": seen(config)}, "world": config.dream}
        bc.train(BCConfig(**{"data": config.data, "out": str(folder), "share": share, **spaces, **config.clone}))
    return folder


def dream_id(config: TransferConfig) -> str:
    """The Gymnasium id of the dream."""
    return "wmsim/World-v0" if config.env else "wmsim/Drive-v0"


def seen(config: TransferConfig) -> str:
    """What the policies observe: "dict" of picture and proprioception, or "image"."""
    return str(config.view.get("observation", "image")) if config.env else "dict"


def place_of(config: TransferConfig, where: str, guards: Mapping[str, Any]) -> dict[str, Any]:
    """Where PPO trains: "dream", with its guards, or "twin"; settings of `PPOConfig`."""
    if where == "dream":
        kwargs = {"observation": seen(config), **guards}
        return {"env": dream_id(config), "world": config.dream, "env_kwargs": kwargs}
    if config.env:
        return {"env": config.env, "world": None, "env_kwargs": config.env_kwargs, "view": config.view}
    return {"world": "sim", "env_kwargs": {"observation": "dict", "world_kwargs": {"workers": config.workers}}}


def guards_of(config: TransferConfig) -> dict[str, Any]:
    """The guards of the dream, with the uncertainty to halt above, which is measured once."""
    if not config.halt:
        return dict(config.guards)
    path = Path(config.out) / "doubt.json"
    if not path.exists():
        frames = int(config.guards.get("max_episode_steps") or config.train.get("truncate") or config.frames)
        usual = doubt(dream.load(source_of(config), slots=config.slots), config.data, 2 * config.episodes, frames)
        path.write_text(json.dumps(float(np.quantile(usual.max(1), config.halt))))
    return {**config.guards, "halt": json.loads(path.read_text())}


def trained(config: TransferConfig, name: str, where: str, seed: int, guards: Mapping[str, Any]) -> Trained:
    """One PPO training, gone on with or read back where it was done before."""
    folder = Path(config.out) / name
    done = folder / "done.json"
    start = str(cloned(config) / "actor.pt")
    plain = {"out": str(folder), "steps": config.steps, "seed": 1000 * seed, "clone": start}
    training = PPOConfig(**{**plain, **place_of(config, where, guards), **config.train})
    training = replace(training, keep_every=max(1, training.updates // config.keep))
    if not done.exists():
        ppo.train(training)
        state = torch.load(folder / "state.pt", weights_only=True)
        note = {"seconds": state["seconds"], "steps": training.updates * training.num_envs * training.rollout}
        done.write_text(json.dumps(note))
    note = json.loads(done.read_text())
    kept = {int(path.stem.split("-")[1]): path for path in sorted(folder.glob("policy-*.onnx"))}
    kept[note["steps"]] = folder / "policy.onnx"
    return Trained(name, kept, note["steps"] / note["seconds"], note["seconds"])


# --- playing -------------------------------------------------------------------------------------------------------


def arenas_of(config: TransferConfig) -> dict[str, Callable[[], Arena]]:
    """The twin, with what scripted drivers and the table ask of it, and the dream, as policies are judged in."""
    if config.env:
        task, shown = "world", {"observation": seen(config)}
        return {
            "twin": lambda: Arena(ArenaConfig(lambda: outside(config), True, config.slots)),
            "dream": lambda: Arena(ArenaConfig(config.dream, False, config.slots, task, shown)),
        }
    settings: dict[str, Any] = {"info": ("state",), "world_kwargs": {"workers": config.workers}}
    return {
        "twin": lambda: Arena(ArenaConfig("sim", True, config.slots, settings=settings)),
        "dream": lambda: Arena(ArenaConfig(config.dream, False, config.slots)),
    }


def outside(config: TransferConfig) -> gym.Env[Any, Any]:
    """Anyone's environment, seen as its dream shows it."""
    return Pictured(gym.make(config.env, **config.env_kwargs), **config.view)


def from_file(path: Path) -> Make:
    """A policy file for an arena's slots; ValueError when it was trained in other spaces."""

    def make(arena: Arena) -> Policy:
        policy = OnnxPolicy(path, arena.config.slots)
        policy.check(arena.observation_space, arena.action_space)
        return policy

    return make


def at_random(arena: Arena) -> Policy:
    """Even draws from the action space."""
    return RandomPolicy(arena.action_space, arena.config.slots)


def scripted(arena: Arena) -> Policy:
    """The steady driver that reads the twin's true state."""
    return TWINS["drive"].driver(STEADY, arena.config.slots)


def planners(config: TransferConfig) -> dict[str, Make]:
    """Planning in the dream, by the name of its row: with no training at all, and around what the clone does."""
    guide = cloned(config) / "policy.onnx"
    return {
        "MPC in the dream": planning(config, PlanConfig(**config.plan)),
        "MPC guided by the clone": planning(config, PlanConfig(**config.guided), guide),
    }


def planning(config: TransferConfig, plan: PlanConfig, guide: Path | None = None) -> Make:
    """A planner in the dream, on slots of its own, with a policy file as its guide."""
    advise = None if guide is None else mpc.from_file(guide)
    return lambda arena: Planner(dream.load(source_of(config), slots=plan.most), plan, arena.config.slots, advise)


def source_of(config: TransferConfig) -> str | Path:
    """The dream as `wmsim.dream.load` takes it."""
    return find_source(config.dream, find_task("world" if config.env else "drive"))


class Judge:
    """Plays policies and keeps what came of it in <out>/played, so that nothing is played twice."""

    def __init__(
        self,
        out: str,
        arenas: Mapping[str, Callable[[], Arena]],
        departures: Departures,
        frames: int,
        known: Sequence[Path] = (),
    ) -> None:
        """known: folders of other judges, with the same departures, where a policy of that name may have played."""
        self.arenas, self.departures, self.frames = arenas, departures, frames
        self.folder, self.known = Path(out) / "played", known
        self.folder.mkdir(parents=True, exist_ok=True)

    def play(self, name: str, where: str, make: Make, episodes: int | None = None) -> Played:
        """`episodes` departures, all by default, in one of the arenas under the policy called `name`."""
        departures = self.departures.select(slice(episodes))
        path = self.folder / f"{name.replace('/', ' per ')}@{where}.npz"
        for folder in (self.folder, *self.known):
            if (folder / path.name).exists():
                return load(folder / path.name)
        with closing(self.arenas[where]()) as arena:
            batches = -(-len(departures) // arena.config.slots)
            with Meter(f"{name} in the {where}", batches * self.frames, "frames") as meter:
                played = arena.play(make, departures, self.frames, meter.advance)
        save(path, played)
        return played


def save(path: Path, played: Played) -> None:
    """Keep what came of a row; the file appears when it is complete."""
    partial = path.with_suffix(".partial.npz")
    kept: dict[str, Any] = {f"part.{name}": value for name, value in played.parts.items()}
    np.savez_compressed(partial, reward=played.reward, alive=played.alive, ended=played.ended, **kept)
    partial.replace(path)


def load(path: Path) -> Played:
    """The inverse of `save`."""
    with np.load(path) as file:
        parts = {name.removeprefix("part."): file[name] for name in file.files if name.startswith("part.")}
        return Played(file["reward"], file["alive"], file["ended"], parts)


def departures_of(config: TransferConfig) -> Departures:
    """The first frames of every episode: unseen towns under the steady driver."""
    path = Path(config.out) / "departures.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(arenas_of(config)["twin"]()) as arena:
            seeds = range(config.first_town, config.first_town + config.episodes)
            driver = at_random(arena) if config.env else scripted(arena)
            found = depart_from(arena, driver, seeds, config.before)
        np.savez_compressed(path, **vars(found))
    with np.load(path) as file:
        return Departures(**{name: file[name] for name in file.files})


# --- figures -------------------------------------------------------------------------------------------------------


def row_of(played: Sequence[Played], par: float, success: float) -> dict[str, Interval]:
    """The columns of one row, over E episodes of each of S trainings; an episode's town is what intervals count.

    par: the mean return of the best row.
    """
    towns = np.tile(np.arange(len(played[0].ended)), len(played))
    score, ended = np.concatenate([p.score() for p in played]), np.concatenate([p.ended for p in played])
    columns = {"return": bootstrap_mean(score, towns)}
    if "reward_progress" in played[0].parts:
        metres = METRES_OF_REWARD * np.concatenate([p.parts["reward_progress"].sum(1) for p in played])
        hits = np.concatenate([(p.parts["reward_collision"] < 0).any(1) for p in played])
        columns["progress, m"] = bootstrap_mean(metres, towns)
        columns["collisions per km"] = per_kilometre(hits, metres, towns)
    columns["success"] = bootstrap_mean(((score >= success * par) & ~ended).astype(float), towns)
    columns["seconds alive"] = bootstrap_mean(np.concatenate([p.length for p in played]) / FRAMES_PER_SECOND, towns)
    return columns


def per_kilometre(hits: Array, metres: Array, towns: Array, draws: int = 1000) -> Interval:
    """Collisions of all episodes over kilometres of all, with a bootstrap over towns."""
    names, member = np.unique(towns, return_inverse=True)
    drawn = np.random.default_rng(0).integers(len(names), size=(draws, len(names)))
    total = [np.bincount(member, value.astype(float))[drawn].sum(1) for value in (hits, metres / 1000)]
    rate = total[0] / np.maximum(total[1], 1e-3)
    low, high = np.quantile(rate, [0.025, 0.975])
    return Interval(float(hits.sum() / max(metres.sum() / 1000, 1e-3)), float(low), float(high), len(names))


def ratio(over: Sequence[Played], under: Sequence[Played], draws: int = 2000) -> Interval:
    """Mean return of some trainings over that of others: a bootstrap over trainings and, paired, over towns."""
    top, bottom = (np.stack([p.score() for p in side]) for side in (over, under))
    rng, drawn = np.random.default_rng(0), []
    for _ in range(draws):
        towns = rng.integers(top.shape[1], size=top.shape[1])
        a, b = (side[rng.integers(len(side), size=len(side))][:, towns].mean() for side in (top, bottom))
        drawn.append(a / b)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(top.mean() / bottom.mean()), float(low), float(high), len(over))


def gap_of(judge: Judge, training: Trained) -> dict[int, dict[str, Interval]]:
    """Return in dream and twin and their difference G = J_dream - J_twin, for every policy kept along a training."""
    found = {}
    for steps, path in training.kept.items():
        name = f"{training.name}-{steps}"
        inside, outside = (judge.play(name, where, from_file(path)).score() for where in ("dream", "twin"))
        both = {"dream": inside, "twin": outside, "gap": inside - outside}
        found[steps] = {side: bootstrap_mean(values) for side, values in both.items()}
    return found


def run(config: TransferConfig, console: Console) -> dict[str, Any]:
    """Train, play, measure, write; returns what the JSON file holds."""
    began = time.perf_counter()
    Path(config.out).mkdir(parents=True, exist_ok=True)
    report.save_json(Path(config.out) / SETTINGS, vars(config))
    judge = Judge(config.out, arenas_of(config), departures_of(config), config.frames)
    guards = guards_of(config)
    trainings = {
        "PPO in the dream": [trained(config, f"dream-{s}", "dream", s, guards) for s in range(config.seeds)],
        "PPO in the twin": [trained(config, f"twin-{s}", "twin", s, {}) for s in range(config.seeds)],
    }
    unguarded = trained(config, "unguarded-0", "dream", 0, {})
    played = {
        "random": [judge.play("random", "twin", at_random)],
        **({} if config.env else {"scripted, true state": [judge.play("scripted", "twin", scripted)]}),
        "cloned": [judge.play("clone", "twin", from_file(cloned(config) / "policy.onnx"))],
    }
    for name, some in {**trainings, "PPO in the dream, no guards": [unguarded]}.items():
        played[name] = [judge.play(one.finished, "twin", from_file(one.policy)) for one in some]
    planned = {}
    if config.mpc:
        planned = {name: judge.play(name, "twin", make, config.mpc) for name, make in planners(config).items()}
    played |= {name: [one] for name, one in planned.items()}
    par = max(float(np.mean([one.score().mean() for one in some])) for some in played.values())
    rows = {name: row_of(some, par, config.success) for name, some in played.items()}
    clone = played["cloned"][0].score()[: config.mpc]
    result = {
        "settings": {**vars(config), "guards": guards},
        "machine": machine(),
        "rows": rows,
        "training": {
            name: {"steps per second": [t.rate for t in some], "minutes": [t.seconds / 60 for t in some]}
            for name, some in {**trainings, "PPO in the dream, no guards": [unguarded]}.items()
        },
        "dream over twin": ratio(played["PPO in the dream"], played["PPO in the twin"]),
        "dream over clone": ratio(played["PPO in the dream"], played["cloned"]),
        "planning above clone": {name: bootstrap_mean(one.score() - clone) for name, one in planned.items()},
        "gap": {
            "with guards": gap_of(judge, trainings["PPO in the dream"][0]),
            "without": gap_of(judge, unguarded),
        },
        "minutes": (time.perf_counter() - began) / 60,
    }
    report.save_json(Path(config.out) / "transfer.json", result)
    save_figure(Path(config.out) / "transfer.png", result)
    console.print(report.figures_table("In the twin, on unseen towns", rows))
    for name in ("dream over twin", "dream over clone", "planning above clone"):
        console.print(f"{name}: {result[name]}")
    return result


def save_figure(path: Path, result: Mapping[str, Any]) -> None:
    """Returns of every row; dream and twin along training, with and without guards."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4), layout="constrained")
    names = list(result["rows"])
    cells = [result["rows"][name]["return"] for name in names]
    reach = [[c.mean - c.low for c in cells], [c.high - c.mean for c in cells]]
    left.barh(names[::-1], [c.mean for c in cells][::-1], xerr=[side[::-1] for side in reach], color="0.7")
    left.set(title="return in the twin, unseen towns", xlabel="return, mean and 95 % interval over towns")
    for (label, along), colour in zip(result["gap"].items(), ("tab:blue", "tab:red"), strict=True):
        for side, style in (("dream", "--"), ("twin", "-")):
            means = [found[side].mean for found in along.values()]
            right.plot(list(along), means, style, marker="o", color=colour, label=f"{side}, {label}")
    right.set(title="one training along the way", xlabel="environment steps", ylabel="return")
    right.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def in_small(config: TransferConfig) -> TransferConfig:
    """The same story in a minute, to see that it runs."""
    train = {"num_envs": 2, "groups": 1, "rollout": 4, "epochs": 1, "settle": 0, "truncate": 8}
    plan = {"candidates": 2, "horizon": 2, "execute": 2, "rounds": 1, "most": 2}
    few = {
        "seeds": 1,
        "steps": 16,
        "episodes": 4,
        "frames": 6,
        "slots": 4,
        "workers": 1,
        "mpc": 2,
        "keep": 1,
        "halt": 0.5,
    }
    clone = {"steps": 2, "batch": 2, "frames": 4}
    guards = {**config.guards, "max_episode_steps": 4}
    guided = {**plan, "tail": 2}
    changed: dict[str, Any] = {"train": train, "plan": plan, "guided": guided, "clone": clone, "guards": guards, **few}
    return replace(config, **changed)


def read_settings(settings: DictConfig) -> TransferConfig:
    """The settings as they stand in configs/eval/transfer.yaml."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    config = TransferConfig(**plain)
    return in_small(config) if config.fast else config


@hydra.main(version_base=None, config_path="../configs", config_name="eval/transfer")
def main(settings: DictConfig) -> None:
    """Read the settings and run."""
    run(read_settings(settings), report.wide_console())


if __name__ == "__main__":
    main()
