"""PPO on the native vector environment: trains a recurrent policy in the dream, its twin, or anyone's environment.

    python -m agents.ppo                                     in the dream
    python -m agents.ppo world=sim                           in the MuJoCo twin, with the very same settings
    python -m agents.ppo clone=runs/bc/actor.pt              from a clone on, and held near it
    python -m agents.ppo env=CarRacing-v3 world=null +view.size=[64,64]

Proximal policy optimisation (Schulman et al., arXiv 1707.06347) with generalised advantages (1506.02438): what ended by
itself is worth nothing more, what was cut off by time is worth what the critic says of its last frame.

Writes <out>/policy.onnx, which holds preprocessing and spaces, curves for TensorBoard, and state.pt: run the same
command again and it goes on from there, with new episodes.

Shape legend: n environments, T steps of a rollout, A actions, D memory width.
"""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import hydra
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from omegaconf import DictConfig, OmegaConf
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

import wmsim  # noqa: F401 (registers the environments)
from agents.network import ActorCritic, Observation, load_weights, log_density, save_actor
from wmsim.env.pictured import Pictured
from wmsim.policy.onnx import onnx_export

VecEnv = VectorEnv[Any, Any, Any]


@dataclass(frozen=True)
class PPOConfig:
    """What is trained on what, for how long.

    env, env_kwargs: for `gymnasium.make_vec`; world: of a wmsim environment, None for others, and view: how those
    are seen (settings of `wmsim.env.pictured.Pictured`), None for as they are. steps: environment steps in all.
    rollout: T, between two updates. truncate: steps after which an episode is cut off, None for the environment's
    own limit; a max_episode_steps in env_kwargs comes first. stack: frames that the policy sees at once, 0 for a GRU;
    a clone's own where it begins from one. epochs, groups: passes over a rollout, and the groups of
    environments that each is cut into. clip, entropy, value, discount, smoothing (lambda), rate, norm: of PPO; critic:
    times the rate at which the value's own layers learn. clone: "actor.pt" of `agents.bc` that the policy begins from,
    "" for none; kl: weight of the divergence from it, KL(policy || clone); settle: updates at the beginning in which
    only the value is learnt.
    explore: standard deviation of actions at the beginning, in half ranges, None for the network's own (the clone's
    is the spread of what drivers did, which shakes the car); smooth: share of a step's deviation from the mean that
    carries over to the next (autoregressive exploration, Korenkevych et al., arXiv 1903.11524): the car is shaken
    less, and gets further from where it would have been. save_every: updates between two saved states; keep_every:
    between two policies that are kept as policy-<steps>.onnx, 0 for none. threads: of torch, 0 for its own.
    """

    out: str
    env: str = "wmsim/Drive-v0"
    world: str | None = "dream"
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    view: dict[str, Any] | None = None
    num_envs: int = 16
    steps: int = 200_000
    rollout: int = 64
    truncate: int | None = None
    stack: int = 0
    epochs: int = 3
    groups: int = 4
    clip: float = 0.2
    entropy: float = 0.003
    value: float = 0.5
    discount: float = 0.97
    smoothing: float = 0.95
    rate: float = 4e-4
    critic: float = 1.0
    norm: float = 0.5
    clone: str = ""
    kl: float = 0.1
    settle: int = 4
    explore: float | None = None
    smooth: float = 0.0
    seed: int = 0
    save_every: int = 20
    keep_every: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        """ValueError: environments that cannot be cut into the groups, or nothing to train."""
        if self.num_envs % self.groups:
            raise ValueError(f"num_envs={self.num_envs} environments cannot be cut into groups={self.groups}")
        if not 0 <= self.smooth < 1:
            raise ValueError(f"smooth is at least 0 and less than 1, got {self.smooth}")
        if self.steps < self.num_envs * self.rollout:
            raise ValueError(f"steps={self.steps} are less than one rollout of {self.num_envs} x {self.rollout}")

    @property
    def updates(self) -> int:
        """How many rollouts there are."""
        return self.steps // (self.num_envs * self.rollout)


@dataclass(frozen=True)
class Rollout:
    """T steps of n environments; memory: (n, D) at their beginning, fresh (T, n): whether an episode began there.

    clone: (T, n, A) what the clone would have done on average; zeros without one. strayed: (n, A) how far the action
    before the first was from its mean.
    """

    observation: list[Observation]
    action: Tensor
    log_density: Tensor
    value: Tensor
    advantage: Tensor
    fresh: Tensor
    clone: Tensor
    memory: Tensor
    strayed: Tensor

    def rows(self, chosen: Tensor) -> Rollout:
        """Some of the environments."""
        seen = [_rows(one, chosen) for one in self.observation]
        timed = (self.action, self.log_density, self.value, self.advantage, self.fresh, self.clone)
        return Rollout(seen, *(part[:, chosen] for part in timed), self.memory[chosen], self.strayed[chosen])


def make(config: PPOConfig) -> VecEnv:
    """The vector environment, natively batched where it is ours; an episode begins in the step that ended the last."""
    kwargs = dict(config.env_kwargs)
    if config.truncate is not None:
        kwargs.setdefault("max_episode_steps", config.truncate)
    if config.world is None:
        same: dict[str, Any] = {
            "vectorization_mode": "sync",
            "vector_kwargs": {"autoreset_mode": AutoresetMode.SAME_STEP},
            "wrappers": () if config.view is None else (partial(Pictured, **config.view),),
        }
        return gym.make_vec(config.env, config.num_envs, **same, **kwargs)
    native = {
        "vectorization_mode": "vector_entry_point",
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "world": config.world,
    }
    return gym.make_vec(config.env, config.num_envs, **native, **kwargs)


class PPO:
    """The training: collects a rollout, learns from it, and so on."""

    def __init__(self, config: PPOConfig, env: VecEnv) -> None:
        """ValueError for spaces that the agents do not take."""
        onnx_export()
        torch.manual_seed(config.seed)
        self.config, self.env, self.out = config, env, Path(config.out)
        spaces = env.single_observation_space, env.single_action_space
        self.clone = load_weights(config.clone, *spaces).requires_grad_(False) if config.clone else None
        stack = config.stack if self.clone is None else self.clone.stack
        self.network = ActorCritic(*spaces, stack=stack, apart=bool(config.clone))
        if self.clone is not None:
            self.network.load_state_dict(self.clone.state_dict())
        if config.explore is not None:
            for one in filter(None, (self.network, self.clone)):
                nn.init.constant_(one.log_std, math.log(config.explore))
        self.rates = config.rate, config.rate * config.critic
        worth = list(self.network.value.parameters())
        others = [p for name, p in self.network.named_parameters() if not name.startswith("value.")]
        groups = [{"params": some, "lr": rate} for some, rate in zip((others, worth), self.rates, strict=True)]
        self.optimizer = torch.optim.Adam(groups, eps=1e-5)
        self.update, self.seconds = 0, 0.0
        self.returns: deque[float] = deque(maxlen=100)
        self.lengths: deque[int] = deque(maxlen=100)
        if self._state.exists():
            self._load()
        self._begin()

    @property
    def _state(self) -> Path:
        return self.out / "state.pt"

    def run(self) -> Path:
        """Train to the end; returns the path of the policy."""
        from torch.utils.tensorboard import SummaryWriter

        c = self.config
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with SummaryWriter(str(self.out), purge_step=self.update) as curves, Progress(*columns) as progress:
            task = progress.add_task("updates", total=c.updates, completed=self.update)
            while self.update < c.updates:
                began = time.perf_counter()
                for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                    group["lr"] = rate * (1 - self.update / c.updates)
                watched = self.learn(self.collect())
                self.update += 1
                self.seconds += time.perf_counter() - began
                shown = self.update * c.num_envs * c.rollout
                for name, value in (watched | self.progress()).items():
                    curves.add_scalar(f"ppo/{name}", value, shown)
                said = f"return {np.mean(self.returns):.2f}" if self.returns else "updates"
                progress.update(task, completed=self.update, description=said)
                if self.update % c.save_every == 0 and self.update < c.updates:
                    self.save()
                if c.keep_every and self.update % c.keep_every == 0:
                    self._write(self.out / f"policy-{shown:08d}.onnx")
        return self.save()

    def progress(self) -> dict[str, float]:
        """Mean return and length of the last hundred episodes, and environment steps a second of all that was done."""
        done = {"steps_per_second": self.update * self.config.num_envs * self.config.rollout / self.seconds}
        if self.returns:
            done |= {"return": float(np.mean(self.returns)), "length": float(np.mean(self.lengths))}
        return done

    def _begin(self) -> None:
        seeds = self.config.seed + self.update * self.config.num_envs
        seen, _ = self.env.reset(seed=seeds)
        self.seen, self.memory = _tensors(seen), self.network.begin(self.config.num_envs)
        self.fresh = torch.ones(self.config.num_envs, dtype=torch.bool)
        self.recalled = self.memory
        self.strayed = torch.zeros(self.config.num_envs, *self.env.single_action_space.shape)
        self.gained, self.lived = np.zeros(self.config.num_envs), np.zeros(self.config.num_envs, int)

    @torch.no_grad()
    def collect(self) -> Rollout:
        """T steps of every environment."""
        c, network, began, strayed = self.config, self.network, self.memory, self.strayed
        seen, action, means, value, reward, going, after, fresh, cloned = ([] for _ in range(9))
        for _ in range(c.rollout):
            seen.append(self.seen)
            fresh.append(self.fresh)
            mean, worth, self.memory = network(self.seen, self.memory * ~self.fresh[:, None])
            cloned.append(self._as_cloned(mean))
            self.strayed = stray(self.strayed, self.fresh, network.log_std, c.smooth)
            chosen = mean + self.strayed
            action.append(chosen)
            means.append(mean)
            value.append(worth)
            shown, gain, terminated, truncated, info = self.env.step(network.scaled(chosen).numpy())
            over = terminated | truncated
            reward.append(torch.as_tensor(gain, dtype=torch.float32))
            going.append(torch.as_tensor(~over))
            after.append(self._worth_of_the_cut(truncated & ~terminated, info))
            self._count(gain, over)
            self.seen, self.fresh = _tensors(shown), torch.as_tensor(over)
        _, last, _ = network(self.seen, self.memory * ~self.fresh[:, None])
        worth, paid = torch.stack(value), torch.stack(reward)
        given = worth, paid, torch.stack(going), torch.stack(after), last
        advantage = advantages(*given, c.discount, c.smoothing)
        done, new = torch.stack(action), torch.stack(fresh)
        density = strayed_density(done - torch.stack(means), strayed, new, network.log_std, c.smooth)
        return Rollout(seen, done, density, worth, advantage, new, torch.stack(cloned), began, strayed)

    def _as_cloned(self, mean: Tensor) -> Tensor:
        """What the clone would do now, (n, A)."""
        if self.clone is None:
            return torch.zeros_like(mean)
        done, _, self.recalled = self.clone(self.seen, self.recalled * ~self.fresh[:, None])
        return done  # type: ignore[no-any-return]

    def _worth_of_the_cut(self, cut: np.ndarray, info: dict[str, Any]) -> Tensor:
        """(n,) what the critic says of the last frame of episodes that only time has ended; 0 for all others."""
        worth = torch.zeros(self.config.num_envs)
        rows = np.flatnonzero(cut)
        if len(rows):
            final = [_tensors(info["final_obs"][row]) for row in rows]
            _, worth[rows], _ = self.network(_stacked(final), self.memory[rows])
        return worth

    def _count(self, gain: np.ndarray, over: np.ndarray) -> None:
        self.gained += gain
        self.lived += 1
        for row in np.flatnonzero(over):
            self.returns.append(float(self.gained[row]))
            self.lengths.append(int(self.lived[row]))
            self.gained[row], self.lived[row] = 0.0, 0

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """Several passes over a rollout; returns figures to watch."""
        c, watched = self.config, []
        for _ in range(c.epochs):
            for rows in torch.randperm(c.num_envs).chunk(c.groups):
                losses = self._losses(rollout.rows(rows))
                self.optimizer.zero_grad()
                losses["total"].backward()
                nn.utils.clip_grad_norm_(self.network.parameters(), c.norm)
                self.optimizer.step()
                watched.append({name: float(loss.detach()) for name, loss in losses.items()})
        return {name: float(np.mean([one[name] for one in watched])) for name in watched[0]}

    def _losses(self, part: Rollout) -> dict[str, Tensor]:
        c, network = self.config, self.network
        mean, worth = self._replayed(part)
        density = strayed_density(part.action - mean, part.strayed, part.fresh, network.log_std, c.smooth)
        ratio = (density - part.log_density).exp()
        good = (part.advantage - part.advantage.mean()) / (part.advantage.std() + 1e-8)
        clipped = ratio.clamp(1 - c.clip, 1 + c.clip)
        policy = -torch.minimum(ratio * good, clipped * good).mean()
        value = (worth - part.value - part.advantage).square().mean()
        entropy = torch.distributions.Normal(0.0, network.log_std.exp()).entropy().sum()
        away = self._away(mean, part.clone)
        settled = float(self.update >= c.settle or self.clone is None)
        total = settled * (policy - c.entropy * entropy + c.kl * away) + c.value * value
        moved = ((ratio - 1) - (density - part.log_density)).mean()
        known = 1 - part.advantage.var() / (part.advantage + part.value).var().clamp(min=1e-8)
        watched = {"policy": policy, "value": value, "entropy": entropy, "kl": moved, "away": away}
        return {"total": total, **watched, "explained_variance": known}

    def _away(self, mean: Tensor, cloned: Tensor) -> Tensor:
        """KL(policy || clone) of the Gaussians, averaged over moments; 0 without a clone."""
        if self.clone is None:
            return torch.zeros(())
        sides = (mean, self.network), (cloned, self.clone)
        now, then = (torch.distributions.Normal(middle, one.log_std.exp()) for middle, one in sides)
        return torch.distributions.kl_divergence(now, then).sum(-1).mean()

    def _replayed(self, part: Rollout) -> tuple[Tensor, Tensor]:
        """Mean action (T, n, A) and value (T, n) along the rollout, with the memory as it was at its beginning."""
        embedded = self.network.embed(_joined(part.observation)).unflatten(0, (len(part.observation), -1))
        means, values, _ = self.network.along(embedded, part.memory, part.fresh)
        return means, values

    def save(self) -> Path:
        """Write the training's state and the policy; returns the policy's path."""
        self.out.mkdir(parents=True, exist_ok=True)
        partial = self._state.with_suffix(".partial")
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "update": self.update,
                "seconds": self.seconds,
            },
            partial,
        )
        partial.replace(self._state)
        return self._write(self.out / "policy.onnx")

    def _write(self, path: Path) -> Path:
        save_actor(self.network, path, self.env.single_observation_space, self.env.single_action_space)
        return path

    def _load(self) -> None:
        state = torch.load(self._state, weights_only=True)
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise ValueError(f"{self._state} is of another network: choose another out= or delete it") from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.update, self.seconds = state["update"], state["seconds"]


def stray(before: Tensor, fresh: Tensor, log_std: Tensor, smooth: float) -> Tensor:
    """The next deviation (n, A) from the mean action, after `before`; where an episode is fresh (n,), from nothing."""
    drawn = log_std.exp() * torch.randn_like(before)
    return torch.where(fresh[:, None], drawn, smooth * before + math.sqrt(1 - smooth**2) * drawn)


def strayed_density(strayed: Tensor, before: Tensor, fresh: Tensor, log_std: Tensor, smooth: float) -> Tensor:
    """Log density (T, n) of deviations (T, n, A) that `stray` drew one after another, the first after `before`."""
    earlier = torch.cat([before[None], strayed[:-1]]) * ~fresh[..., None]
    spread = log_std + 0.5 * math.log(1 - smooth**2) * ~fresh[..., None]
    return log_density(strayed, smooth * earlier, spread)


def advantages(
    value: Tensor, reward: Tensor, going: Tensor, after: Tensor, last: Tensor, discount: float, smoothing: float
) -> Tensor:
    """Generalised advantages (T, n).

    value, reward: (T, n). going: (T, n) false where the step ended the episode; after: (T, n) what was still to come
    there, 0 where the environment itself ended it. last: (n,) value of the frame after the rollout.
    """
    advantage, running = torch.zeros_like(value), torch.zeros_like(last)
    for t in reversed(range(len(value))):
        follows = last if t == len(value) - 1 else value[t + 1]
        to_come = torch.where(going[t], follows, after[t])
        surprise = reward[t] + discount * to_come - value[t]
        running = surprise + discount * smoothing * running * going[t]
        advantage[t] = running
    return advantage


# --- observations, pictures alone or with proprioception -----------------------------------------------------------


def _tensors(seen: Any) -> Observation:
    return (
        {name: torch.as_tensor(part) for name, part in seen.items()}
        if isinstance(seen, dict)
        else torch.as_tensor(seen)
    )


def _rows(seen: Observation, rows: Tensor) -> Observation:
    return {name: part[rows] for name, part in seen.items()} if isinstance(seen, dict) else seen[rows]


def _put(seen: list[Observation], how: Any) -> Observation:
    first = seen[0]
    if isinstance(first, dict):
        return {name: how([one[name] for one in seen if isinstance(one, dict)]) for name in first}
    return how(seen)  # type: ignore[no-any-return]


def _joined(seen: list[Observation]) -> Observation:
    return _put(seen, torch.cat)


def _stacked(seen: list[Observation]) -> Observation:
    return _put(seen, torch.stack)


def train(config: PPOConfig) -> Path:
    """Make the environment, train, close it; returns the path of the policy."""
    if config.threads:
        torch.set_num_threads(config.threads)
    env = make(config)
    try:
        return PPO(config, env).run()
    finally:
        env.close()


@hydra.main(version_base=None, config_path="../configs", config_name="agents/ppo")
def main(settings: DictConfig) -> None:
    """Read the settings and train."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    train(PPOConfig(**plain))


if __name__ == "__main__":
    main()
