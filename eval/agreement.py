"""Is a ranking of policies made in the dream the ranking that the twin gives? Many policies, paired episodes in both.

    python -m eval.agreement transfer=runs/transfer      after `eval.transfer`, whose clone and PPO policies it uses

Policies come from five families: scripted ones that need no true state, clones of shares of the recording, the best
clone with noise, PPO at several ages, planning at several budgets. Everything is kept in <out> and not done twice.
Writes agreement.json, agreement.csv and agreement.png.

Shape legend: N policies, E episodes, T frames.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from agents.mpc import PlanConfig
from eval import report
from eval.arena import Arena, ArenaConfig, Array, Played
from eval.baselines import copying, scrambled
from eval.machine import machine
from eval.ranking import agreement, phi, without_each
from eval.transfer import (
    SETTINGS,
    Judge,
    Make,
    TransferConfig,
    arenas_of,
    at_random,
    cloned,
    departures_of,
    from_file,
    planning,
    seen,
    source_of,
)
from wmsim.metrics import bootstrap_mean
from wmsim.policy import Policy


@dataclass(frozen=True)
class Entrant:
    """A policy in the contest."""

    name: str
    family: str
    make: Make
    episodes: int | None = None


class Cruise:
    """Holds a speed and turns the wheel by a slow wave, blind to the road: a scripted policy that needs no state."""

    def __init__(self, slots: int, speed: float, wave: float = 0.0, noise: float = 0.0) -> None:
        """speed: m/s, kept by the proprioception. wave: amplitude of the steering. noise: of steering and pedals."""
        self.speed, self.wave, self.noise = speed, wave, noise
        self.rngs, self.time = [np.random.default_rng(0)] * slots, np.zeros(slots, int)

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Key the noise, begin the wave."""
        for row, seed in zip(rows, seeds, strict=True):
            self.rngs[row], self.time[row] = np.random.default_rng([seed, 0x77]), 0

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[np.float32]:
        """(n, 1, 2) from the speed in the observation's proprio."""
        speed = np.asarray(observation["proprio"], np.float64)[:, 0]
        stir = self.noise * np.array([self.rngs[row].normal(size=2) for row in rows])
        steer = self.wave * np.sin(self.time[list(rows)] / 8.0) + stir[:, 0]
        self.time[list(rows)] += 1
        drive = 0.5 * (self.speed - speed) + stir[:, 1]
        return np.stack([steer, drive], 1).clip(-1, 1).astype(np.float32)[:, None]


class Held:
    """One action for ever."""

    def __init__(self, action: Array) -> None:
        self.action = action.astype(np.float32)

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Nothing is remembered."""

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[np.float32]:
        """(n, 1, A), all the same."""
        return np.tile(self.action, (len(rows), 1, 1))


class Shaken:
    """Another policy with noise on its actions, as a share of their half range."""

    def __init__(self, policy: Policy, space: spaces.Box, slots: int, noise: float) -> None:
        self.policy, self.space, self.noise = policy, space, noise
        self.rngs = [np.random.default_rng(0)] * slots
        self.wander = np.zeros((slots, *space.shape))

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Key the noise."""
        for row, seed in zip(rows, seeds, strict=True):
            self.rngs[row], self.wander[row] = np.random.default_rng([seed, 0x78]), 0
        self.policy.reset(rows, seeds)

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[np.float32]:
        """The first action of each chunk, disturbed."""
        action = self.policy.act(rows, observation, info)[:, :1]
        drawn = np.array([self.rngs[row].normal(size=self.space.shape) for row in rows])
        self.wander[list(rows)] = 0.8 * self.wander[list(rows)] + 0.6 * self.noise * drawn
        half = (self.space.high - self.space.low) / 2
        moved = action + (self.wander[list(rows)] * half)[:, None]
        bounded: NDArray[np.float32] = np.clip(moved, self.space.low, self.space.high).astype(np.float32)
        return bounded


@dataclass(frozen=True)
class AgreementConfig:
    """transfer: settings of a finished `eval.transfer`, whose folder holds the trained policies. shares: of the
    recording that is cloned. noises: on the best clone. budgets: (candidates, horizon, rounds) of planning. planned:
    episodes of those, 0 for none. beside: episodes in the two worlds that no ranking should be believed of. horizons:
    frames at which agreement is asked, besides whole episodes.
    """

    transfer: TransferConfig
    out: str
    shares: tuple[float, ...]
    noises: tuple[float, ...]
    budgets: tuple[tuple[int, int, int], ...]
    planned: int
    beside: int
    horizons: tuple[int, ...]


def entrants(config: AgreementConfig) -> list[Entrant]:
    """Every policy of the contest, by the names that `eval.transfer` gave those that it played."""
    found = [
        Entrant("random", "scripted", at_random),
        Entrant("resting", "scripted", resting),
    ]
    if not config.transfer.env:
        manners = ((4.0, 0.0), (8.0, 0.0), (8.0, 0.15))
        found += [Entrant(f"cruise {v:g} m/s, wave {w:g}", "scripted", _cruise(v, w)) for v, w in manners]
    for share in config.shares:
        path = cloned(config.transfer, share) / "policy.onnx"
        found.append(Entrant("clone" if share == 1 else f"clone of {share:.1%}", "cloned", from_file(path)))
    best = cloned(config.transfer) / "policy.onnx"
    found += [Entrant(f"clone shaken {noise:g}", "shaken", _shaken(best, noise)) for noise in config.noises]
    for name in ("dream-0", "twin-0"):
        for path in sorted((Path(config.transfer.out) / name).glob("policy-*.onnx")):
            found.append(Entrant(f"{name}-{int(path.stem.split('-')[1])}", "PPO", from_file(path)))
    if config.planned:
        for candidates, horizon, rounds in config.budgets:
            usual = PlanConfig()
            size = {"candidates": candidates, "horizon": horizon, "rounds": rounds}
            plan = PlanConfig(**size, execute=min(usual.execute, horizon), most=max(usual.most, candidates))
            made = planning(config.transfer, plan)
            found.append(Entrant(f"MPC {candidates}x{horizon}x{rounds}", "MPC", made, config.planned))
    return found


def resting(arena: Arena) -> Policy:
    """The middle of the action space for ever."""
    assert isinstance(arena.action_space, spaces.Box)
    return Held((arena.action_space.high + arena.action_space.low) / 2)


def _cruise(speed: float, wave: float) -> Make:
    return lambda arena: Cruise(arena.config.slots, speed, wave, 0.02)


def _shaken(path: Path, noise: float) -> Make:
    def make(arena: Arena) -> Policy:
        assert isinstance(arena.action_space, spaces.Box)
        return Shaken(from_file(path)(arena), arena.action_space, arena.config.slots, noise)

    return make


def arenas(config: AgreementConfig) -> dict[str, Callable[[], Arena]]:
    """Twin and dream, and two worlds that no ranking should be believed of."""
    source, slots = source_of(config.transfer), config.transfer.slots
    task, shown = "world" if config.transfer.env else "drive", {"observation": seen(config.transfer)}
    return {
        **arenas_of(config.transfer),
        "copy": lambda: Arena(ArenaConfig(copying(source, slots), False, slots, task, shown)),
        "chance": lambda: Arena(ArenaConfig(scrambled(source, slots), False, slots, task, shown)),
    }


def run(config: AgreementConfig, console: Console) -> dict[str, Any]:
    """Play everybody everywhere, compare, write; returns what the JSON file holds."""
    departures, frames = departures_of(config.transfer), config.transfer.frames
    judge = Judge(config.out, arenas(config), departures, frames, [Path(config.transfer.out) / "played"])
    every = entrants(config)
    cheap = [entrant for entrant in every if entrant.episodes is None]
    played = {side: {e.name: judge.play(e.name, side, e.make, e.episodes) for e in every} for side in ("dream", "twin")}
    for side in ("copy", "chance"):
        played[side] = {e.name: judge.play(e.name, side, e.make, config.beside) for e in cheap}
    result = compare(played, {e.name: e.family for e in every}, config.horizons) | {
        "machine": machine(),
        "episodes": len(departures),
        "frames": frames,
    }
    out = Path(config.out)
    report.save_json(out / "agreement.json", result)
    save_csv(out / "agreement.csv", played, {e.name: e.family for e in every})
    save_figure(out / "agreement.png", result)
    console.print(report.figures_table("Agreement with the twin; returns as shares of their span", result["agreement"]))
    return result


def compare(
    played: Mapping[str, Mapping[str, Played]], families: Mapping[str, str], horizons: Sequence[int]
) -> dict[str, Any]:
    """Every figure of the contest. played: side -> policy -> what came of it; some may have fewer episodes than others.

    Scores are returns as shares of the span between the worst and the best policy in the twin, over as many frames.
    Short dreams of whole drives: the dream's first frames, at that rate, against the twin's whole episodes.
    """
    twin, dreamt = played["twin"], played["dream"]
    count, means = max(len(one.ended) for one in twin.values()), {n: p.score().mean() for n, p in twin.items()}
    span, whole = float(np.ptp(list(means.values()))), [n for n, p in twin.items() if len(p.ended) == count]
    real, half = scores(twin, whole, span), count // 2
    rows = {
        "dream": agreement(scores(dreamt, whole, span), real),
        "twin itself, other episodes": agreement(real[:, :half], real[:, half : 2 * half]),
    }
    for side, name in (("copy", "copy last frame"), ("chance", "dynamics of chance")):
        beside = scores(played[side], whole, span)
        rows[name] = agreement(beside, real[:, : beside.shape[1]])
    frames = next(iter(twin.values())).reward.shape[1]
    lengths = [*(h for h in horizons if h < frames), frames]
    spans = {h: float(np.ptp([one.score(h).mean() for one in twin.values()])) for h in lengths}
    ended = [np.concatenate([some[name].ended for name in whole]) for some in (dreamt, twin)]
    pairs = [np.array([some[name].score().mean() / span for name in families]) for some in (dreamt, twin)]
    return {
        "span of returns": span,
        "agreement": rows,
        "by horizon": {
            h: agreement(scores(dreamt, whole, spans[h], h), scores(twin, whole, spans[h], h)) for h in lengths
        },
        "short dreams of whole drives": {
            h: agreement(scores(dreamt, whole, span * h / frames, h), real) for h in lengths
        },
        "without a family": without_each(pairs[0], pairs[1], list(families.values())),
        "ended in both (phi)": phi(*ended),
        "policies": {name: _figures(families[name], dreamt[name], twin[name]) for name in families},
    }


def _figures(family: str, dreamt: Played, twin: Played) -> dict[str, Any]:
    sides = {"dream": dreamt, "twin": twin}
    returns = {f"return, {side}": bootstrap_mean(one.score()) for side, one in sides.items()}
    return {"family": family, **returns} | {
        f"ended, {side}": bootstrap_mean(one.ended.astype(float)) for side, one in sides.items()
    }


def scores(played: Mapping[str, Played], names: Sequence[str], span: float, frames: int | None = None) -> Array:
    """(N, E) returns over the first `frames`, all by default, of the policies in `names`."""
    return np.stack([played[name].score(frames) for name in names]) / span


# --- files ---------------------------------------------------------------------------------------------------------


def save_csv(path: Path, played: Mapping[str, Mapping[str, Played]], families: Mapping[str, str]) -> None:
    """One line a world, policy and episode."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["world", "policy", "family", "episode", "return", "frames", "ended"])
        for side, some in played.items():
            for name, one in some.items():
                for episode, (gained, lived, ended) in enumerate(zip(one.score(), one.length, one.ended, strict=True)):
                    writer.writerow([side, name, families[name], episode, f"{gained:.4f}", lived, int(ended)])


def save_figure(path: Path, result: Mapping[str, Any]) -> None:
    """Every policy's return in the dream against that in the twin, with intervals; agreement by horizon."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    for family in dict.fromkeys(one["family"] for one in result["policies"].values()):
        some = [one for one in result["policies"].values() if one["family"] == family]
        x, y = ([one[f"return, {side}"] for one in some] for side in ("twin", "dream"))
        reach = [np.array([[v.mean - v.low, v.high - v.mean] for v in values]).T for values in (x, y)]
        points = [v.mean for v in x], [v.mean for v in y]
        left.errorbar(*points, xerr=reach[0], yerr=reach[1], fmt="o", markersize=5, linewidth=0.8, label=family)
    ends = [f(left.get_xlim() + left.get_ylim()) for f in (min, max)]
    left.plot(ends, ends, color="0.7", linewidth=0.8, zorder=0)
    said = ", ".join(
        f"{name} {result['agreement']['dream'][name].mean:.2f}" for name in ("Pearson", "Spearman", "MMRV")
    )
    title = f"each dot is a policy: on the line, dream and twin say the same\n{said}"
    left.set(title=title, xlabel="mean return in the twin (the truth)", ylabel="mean return in the dream")
    left.legend(title="family", frameon=False, fontsize=8)
    for name, colour in (("Pearson", "tab:blue"), ("Spearman", "tab:orange"), ("MMRV", "tab:green")):
        for along, style in (("by horizon", "-"), ("short dreams of whole drives", ":")):
            cells = {frames: row[name] for frames, row in result[along].items()}
            label = name if style == "-" else None
            right.plot(list(cells), [c.mean for c in cells.values()], style, marker="o", color=colour, label=label)
            if style == "-":
                bounds = ([getattr(c, side) for c in cells.values()] for side in ("low", "high"))
                right.fill_between(list(cells), *bounds, color=colour, alpha=0.15, linewidth=0)
    title = "agreement by the length of a dream\nlines: with drives as long, dotted: with whole drives"
    right.set(title=title, xlabel="frames of the dream (16 a second)", ylabel="1 is perfect; MMRV: 0 is")
    right.set_ylim(top=1.02)
    right.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def read_settings(settings: DictConfig) -> AgreementConfig:
    """The settings as they stand in configs/eval/agreement.yaml, and those of the transfer run that it builds on."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    place = Path(plain["transfer"])
    if not (place / SETTINGS).exists():
        raise FileNotFoundError(f"there is no transfer run in {place}: run python -m eval.transfer out={place} first")
    plain["transfer"] = TransferConfig(**json.loads((place / SETTINGS).read_text()))
    plain |= {name: tuple(plain[name]) for name in ("shares", "noises", "horizons")}
    return AgreementConfig(**plain | {"budgets": tuple(tuple(budget) for budget in plain["budgets"])})


@hydra.main(version_base=None, config_path="../configs", config_name="eval/agreement")
def main(settings: DictConfig) -> None:
    """Read the settings and run."""
    run(read_settings(settings), report.wide_console())


if __name__ == "__main__":
    main()
