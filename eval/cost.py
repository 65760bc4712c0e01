"""What an environment step costs a training that learns from it: the whole loop of PPO, in the dream and in the twin.

    python -m eval.cost                                                at 1, 16 and 64 environments
    python -m eval.cost train.clone=runs/transfer/clone/actor.pt       held near a clone, as `eval.transfer` trains

A loop is playing, learning and what lies between. Dream and twin take turns, so that what else the machine does meets
both. Writes runs/cost/cost.json.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.console import Console
from rich.table import Table

from agents.ppo import PPO, PPOConfig, make
from eval.machine import machine
from eval.report import save_json, wide_console
from wmsim.data.progress import Meter


@dataclass(frozen=True)
class CostConfig:
    """dream: "dream" for what ships, or a path. num_envs: environments of the trainings. updates: that are timed, after
    one that is not. guards: of the dream. workers: processes of the twin. train: settings of `agents.ppo`."""

    dream: str
    num_envs: tuple[int, ...]
    updates: int
    guards: dict[str, Any]
    workers: int
    train: dict[str, Any]
    out: str


@dataclass(frozen=True)
class Cost:
    """Of a training in `where` with so many environments: environment steps a second, and the share spent playing."""

    where: str
    num_envs: int
    per_second: float
    slowest: float
    fastest: float
    playing: float


def loop(config: PPOConfig) -> Iterator[tuple[float, float]]:
    """Train on and on; yields the seconds of playing and of learning of each update."""
    env = make(config)
    try:
        training = PPO(config, env)
        while True:
            began = time.perf_counter()
            rollout = training.collect()
            played = time.perf_counter()
            training.learn(rollout)
            training.update += 1
            yield played - began, time.perf_counter() - played
    finally:
        env.close()


def side_by_side(config: CostConfig, num_envs: int, tick: Any) -> list[Cost]:
    """Dream and twin in turns."""
    with tempfile.TemporaryDirectory() as folder:
        plain = {"num_envs": num_envs, "groups": min(num_envs, 4), "steps": 10**9, "settle": 0, **config.train}
        places: dict[str, dict[str, Any]] = {
            "dream": {"world": config.dream, "env_kwargs": {"observation": "dict", **config.guards}},
            "twin": {
                "world": "sim",
                "env_kwargs": {"observation": "dict", "world_kwargs": {"workers": config.workers}},
            },
        }
        trainings = {name: PPOConfig(**{"out": f"{folder}/{name}", **plain, **place}) for name, place in places.items()}
        loops = {name: loop(training) for name, training in trainings.items()}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in loops}
        for _ in range(config.updates + 1):
            for name, steps in loops.items():
                taken[name].append(next(steps))
                tick()
        for steps in loops.values():
            steps.close()  # type: ignore[attr-defined]
    return [cost(name, trainings[name], np.array(some[1:])) for name, some in taken.items()]


def cost(where: str, training: PPOConfig, taken: np.ndarray[Any, Any]) -> Cost:
    """taken: (updates, 2) seconds of playing and learning."""
    steps, whole = training.num_envs * training.rollout, taken.sum(1)
    rates = steps / whole
    middle = float(steps * len(whole) / whole.sum())
    return Cost(
        where, training.num_envs, middle, float(rates.min()), float(rates.max()), float(taken[:, 0].sum() / whole.sum())
    )


def run(config: CostConfig, console: Console) -> dict[str, Any]:
    """Time every size, write, print; returns what cost.json holds."""
    before = machine()
    with Meter("cost", 2 * (config.updates + 1) * len(config.num_envs), "updates") as meter:
        found = [one for count in config.num_envs for one in side_by_side(config, count, meter.advance)]
    after = machine()["load_average"]
    result = {
        "settings": asdict(config),
        "machine": before | {"load_average_after": after},
        "cost": [asdict(one) for one in found],
    }
    Path(config.out).mkdir(parents=True, exist_ok=True)
    save_json(Path(config.out) / "cost.json", result)
    table = Table(
        "", "environments", "env-steps/s", "slowest", "fastest", "of it playing", title="The whole training loop"
    )
    for one in found:
        rates = (f"{value:.0f}" for value in (one.per_second, one.slowest, one.fastest))
        table.add_row(one.where, str(one.num_envs), *rates, f"{one.playing:.0%}")
    console.print(table)
    return result


def read_settings(settings: DictConfig) -> CostConfig:
    """The settings as they stand in configs/eval/cost.yaml."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    return CostConfig(**plain | {"num_envs": tuple(plain["num_envs"])})


@hydra.main(version_base=None, config_path="../configs", config_name="eval/cost")
def main(settings: DictConfig) -> None:
    """Read the settings and run."""
    run(read_settings(settings), wide_console())


if __name__ == "__main__":
    main()
