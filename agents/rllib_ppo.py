"""PPO through Ray RLlib: the dream as its vectorised environment, environment runners as remote actors.

    python -m agents.rllib_ppo out=runs/rllib                     in the dream, two remote runners
    python -m agents.rllib_ppo out=runs/rllib_sim world=sim       the very same in the MuJoCo twin
    python -m agents.rllib_ppo out=runs/pool world=ray://pool     in a dream that `wmsim serve` serves

The network is that of `agents.ppo`, memory and all, as an RLModule of RLlib's current API stack. A runner that dies is
started again and the training goes on; run the same command again after a stop and it goes on from its checkpoint.
Writes <out>/policy.onnx, <out>/checkpoint and <out>/progress.csv. Needs the [ray] extra.

Shape legend: B sequences of T steps, A actions, D memory width.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import ray
import torch
from omegaconf import DictConfig, OmegaConf
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from agents.network import ActorCritic, Observation, save_actor
from wmsim.policy.onnx import onnx_export

FIGURES = {
    "return": ("env_runners", "episode_return_mean"),
    "length": ("env_runners", "episode_len_mean"),
    "steps": ("num_env_steps_sampled_lifetime",),
    "steps_per_second": ("num_env_steps_sampled_lifetime_throughput",),
    "restarts": ("fault_tolerance", "num_remote_worker_restarts"),
}
"""Columns of progress.csv -> where RLlib keeps them."""

_TAKEN = "taken.json"


@dataclass(frozen=True)
class RLlibConfig:
    """What is trained on what, for how long.

    env: an id that every runner can import, "module:id"; world: of a wmsim environment, None for others; env_kwargs:
    for the environment. runners: remote actors; num_envs: environments of each, one batch of the dream. steps:
    environment steps in all; batch: of one update; minibatch, epochs, rate, clip, entropy, value, discount,
    smoothing: of PPO. sequence: steps that gradients flow back through the memory. cpus: of each runner. save_every:
    updates.
    """

    out: str
    env: str = "wmsim:wmsim/Drive-v0"
    world: str | None = "dream"
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    runners: int = 2
    num_envs: int = 8
    steps: int = 200_000
    batch: int = 1024
    minibatch: int = 256
    epochs: int = 3
    rate: float = 3e-4
    clip: float = 0.2
    entropy: float = 0.003
    value: float = 0.5
    discount: float = 0.97
    smoothing: float = 0.95
    sequence: int = 16
    cpus: float = 1.0
    seed: int = 0
    save_every: int = 10

    def __post_init__(self) -> None:
        """ValueError: nobody to collect, or nothing to learn from."""
        if min(self.runners, self.num_envs) < 1 or self.minibatch > self.batch:
            raise ValueError(f"runners and num_envs are at least 1, minibatch at most batch, got {self}")


class Recurrent(TorchRLModule, ValueFunctionAPI):  # type: ignore[misc]
    """`ActorCritic` as RLlib wants it: batches of sequences, and the memory as state in and state out."""

    def setup(self) -> None:
        """Make the network for the spaces of the environment."""
        self.network = ActorCritic(self.observation_space, self.action_space)

    def get_initial_state(self) -> dict[str, Any]:
        """The memory of a new episode: zeros."""
        return {"memory": np.zeros(self.network.width, np.float32)}

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        mean, _, memory = self._along(batch)
        spread = self.network.log_std.expand_as(mean)
        return {Columns.ACTION_DIST_INPUTS: torch.cat([mean, spread], -1), Columns.STATE_OUT: {"memory": memory}}

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Tensor:
        """(B, T) what the critic says of every step."""
        return self._along(batch)[1]

    def _along(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        """Mean actions (B, T, A) and values (B, T) along sequences, and the memory (B, D) after them."""
        seen, memory = batch[Columns.OBS], batch[Columns.STATE_IN]["memory"]
        first = next(iter(seen.values())) if isinstance(seen, dict) else seen
        embedded = self.network.embed(_each(seen, lambda part: part.flatten(0, 1))).unflatten(0, first.shape[:2])
        means, values, memory = self.network.along(embedded.transpose(0, 1), memory)
        return means.transpose(0, 1), values.transpose(0, 1), memory


def _each(seen: Observation, change: Callable[[Tensor], Tensor]) -> Observation:
    return {name: change(part) for name, part in seen.items()} if isinstance(seen, dict) else change(seen)


def settings_of(config: RLlibConfig) -> PPOConfig:
    """The algorithm's configuration."""
    kwargs = dict(config.env_kwargs) | ({} if config.world is None else {"world": config.world})
    native = config.world is not None
    return (
        PPOConfig()
        .environment(config.env, env_config=kwargs)
        .env_runners(
            num_env_runners=config.runners,
            num_envs_per_env_runner=config.num_envs,
            num_cpus_per_env_runner=config.cpus,
            gym_env_vectorize_mode="vector_entry_point" if native else "sync",
        )
        .rl_module(rl_module_spec=RLModuleSpec(module_class=Recurrent, model_config={"max_seq_len": config.sequence}))
        .training(
            train_batch_size_per_learner=config.batch,
            minibatch_size=config.minibatch,
            num_epochs=config.epochs,
            lr=config.rate,
            clip_param=config.clip,
            entropy_coeff=config.entropy,
            vf_loss_coeff=config.value,
            vf_clip_param=float("inf"),
            gamma=config.discount,
            lambda_=config.smoothing,
            use_kl_loss=False,
            grad_clip=0.5,
        )
        .fault_tolerance(restart_failed_env_runners=True, delay_between_env_runner_restarts_s=0.0)
        .debugging(seed=config.seed)
    )


def build(config: RLlibConfig) -> Algorithm:
    """The algorithm, from its checkpoint where there is one."""
    algorithm = settings_of(config).build_algo()
    checkpoint = Path(config.out).absolute() / "checkpoint"
    if checkpoint.is_dir():
        algorithm.restore_from_path(str(checkpoint))
    return algorithm


def train(config: RLlibConfig, watch: Callable[[Algorithm], None] = lambda _: None) -> Path:
    """Train to the end; returns the path of the policy. watch: called before every update."""
    onnx_export()
    out = Path(config.out).absolute()
    out.mkdir(parents=True, exist_ok=True)
    if not ray.is_initialized():
        # A served world lies in a Ray that runs already, and the runners have to be in the same one.
        here: dict[str, Any] = {"address": "auto"} if _served(config) else {"include_dashboard": False}
        ray.init(**here, log_to_driver=False, runtime_env={"env_vars": _paths()})
    algorithm, taken = build(config), _taken(out)
    try:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns) as progress:
            task = progress.add_task("steps", total=config.steps, completed=taken)
            while taken < config.steps:
                watch(algorithm)
                _note(out / "progress.csv", figures := _figures(algorithm.train()))
                taken = int(figures["steps"])
                progress.update(task, completed=taken, description=f"return {figures['return']:.2f}")
                if algorithm.iteration % config.save_every == 0:
                    _save(algorithm, out, taken)
        _save(algorithm, out, taken)
        module, path = algorithm.get_module(), out / "policy.onnx"
        save_actor(module.network, path, module.observation_space, module.action_space)
    finally:
        algorithm.stop()
    return path


def _served(config: RLlibConfig) -> bool:
    return (config.world or "").startswith("ray://")


def _paths() -> dict[str, str]:
    """Where the runners find this checkout."""
    here = str(Path(__file__).parent.parent)
    return {"PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])}


def _save(algorithm: Algorithm, out: Path, taken: int) -> None:
    algorithm.save_to_path(str(out / "checkpoint"))
    (out / "checkpoint" / _TAKEN).write_text(json.dumps({"steps": taken}))


def _taken(out: Path) -> int:
    """Environment steps of the checkpoint, 0 without one."""
    note = out / "checkpoint" / _TAKEN
    return int(json.loads(note.read_text())["steps"]) if note.exists() else 0


def _figures(result: dict[str, Any]) -> dict[str, float]:
    found = {}
    for name, keys in FIGURES.items():
        value: Any = result
        for key in keys:
            value = value.get(key, float("nan")) if isinstance(value, dict) else float("nan")
        found[name] = float(value)
    return found


def _note(path: Path, figures: dict[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(figures)
        writer.writerow(figures.values())


@hydra.main(version_base=None, config_path="../configs", config_name="agents/rllib_ppo")
def main(settings: DictConfig) -> None:
    """Read the settings and train."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    train(RLlibConfig(**plain))


if __name__ == "__main__":
    main()
