"""The recipes of agents/, in small: they learn, stop, go on, and leave a policy file that acts."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("hydra", reason="the recipes need the [train] extra")
pytest.importorskip("onnxruntime", reason="policies need the [policy] extra")
pytest.importorskip("tensorboard", reason="the curves need the [train] extra")

from rich.console import Console

from agents import bc, mpc, ppo
from agents.bc import BCConfig, earnings
from agents.mpc import PlanConfig, Planner
from agents.network import ActorCritic, parts
from agents.ppo import PPO, PPOConfig, advantages, stray, strayed_density
from wmsim.control import Control
from wmsim.data import episodes
from wmsim.data.cache import open_cache
from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.policy import RandomPolicy, save_policy
from wmsim.policy.onnx import OnnxPolicy
from wmsim.sims.toy import ToyWorld


class Bright(gym.Env[Any, Any]):
    """A picture that is bright or dark; it pays to answer a bright one with +1 and a dark one with -1."""

    observation_space = gym.spaces.Box(0, 255, (36, 36, 3), np.uint8)
    action_space = gym.spaces.Box(-2.0, 2.0, (1,), np.float32)

    def _show(self) -> np.ndarray:
        self.sign = 1 if self.np_random.random() < 0.5 else -1
        return np.full((36, 36, 3), 200 if self.sign > 0 else 50, np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = 8
        return self._show(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward = 1.0 - abs(float(action[0]) - self.sign)
        self.left -= 1
        return self._show(), reward, False, self.left == 0, {}


gym.register("test/Bright-v0", Bright)


def _config(out: Path, **changed: Any) -> PPOConfig:
    plain = {
        "out": str(out),
        "env": "test/Bright-v0",
        "world": None,
        "num_envs": 8,
        "rollout": 16,
        "steps": 8 * 16 * 25,
    }
    return PPOConfig(**plain | {"groups": 2, "rate": 2e-3, "discount": 0.5} | changed)


def test_advantages_are_sums_of_discounted_surprises() -> None:
    rng = np.random.default_rng(0)
    value, reward, after = (torch.tensor(rng.normal(size=(5, 2)), dtype=torch.float32) for _ in range(3))
    going = torch.tensor([[True, True], [True, False], [True, True], [False, True], [True, True]])
    last = torch.tensor([0.3, -0.2])
    found = advantages(value, reward, going, after * ~going, last, 0.9, 0.8)
    for env in range(2):
        for start in range(5):
            total, weight = 0.0, 1.0
            for t in range(start, 5):
                follows = last[env] if t == 4 else value[t + 1, env]
                to_come = follows if going[t, env] else after[t, env]
                total += weight * float(reward[t, env] + 0.9 * to_come - value[t, env])
                weight *= 0.9 * 0.8
                if not going[t, env]:
                    break
            assert float(found[start, env]) == pytest.approx(total, abs=1e-5)


def test_the_density_of_strayed_actions_is_that_of_the_whole_walk() -> None:
    torch.manual_seed(0)
    log_std, fresh = torch.tensor([-1.0, -2.0]), torch.zeros(6, 3, dtype=torch.bool)
    fresh[4, 1] = True
    before = walk = 0.3 * torch.randn(3, 2)
    walks = []
    for t in range(6):
        walk = stray(walk, fresh[t], log_std, 0.8)
        walks.append(walk)
    strayed, lag = torch.stack(walks), torch.arange(6)
    for env, first in ((0, 0), (1, 4)):  # a Gaussian with the covariance of an AR(1) walk from where it began
        gone = lag[: 6 - first, None]
        middle, spread = torch.zeros(6 - first, 2), 0.8 ** (gone - gone.T).abs().double()
        if first == 0:
            middle, spread = 0.8 ** (gone + 1) * before[env], spread - 0.8 ** (gone + gone.T + 2)
        whole = [
            torch.distributions.MultivariateNormal(middle[:, axis].double(), (2 * log_std[axis]).exp() * spread)
            for axis in range(2)
        ]
        told = sum(float(one.log_prob(strayed[first:, env, axis].double())) for axis, one in enumerate(whole))
        found = strayed_density(strayed, before, fresh, log_std, 0.8)[first:, env]
        assert float(found.sum()) == pytest.approx(told, abs=1e-3)


def test_what_time_cuts_off_is_worth_what_the_critic_says_of_its_last_frame(tmp_path: Path) -> None:
    config = _config(tmp_path)
    env = ppo.make(config)
    trainer = PPO(config, env)
    trainer.network.value[-1].bias.data[:] = 100.0
    rollout = trainer.collect()
    env.close()
    surprise_there = rollout.advantage[7] + rollout.value[7]  # the eighth step is cut off: reward + discounted worth
    assert rollout.fresh[8].all()
    assert (surprise_there > 40).all()


def test_it_learns_what_pays_and_leaves_a_policy_that_acts(tmp_path: Path) -> None:
    path = ppo.train(_config(tmp_path))
    policy, env = OnnxPolicy(path), gym.make("test/Bright-v0")
    policy.check(env.observation_space, env.action_space)
    policy.reset([0], [0])
    (seen, _), gained = env.reset(seed=5), 0.0
    for _ in range(8):
        seen, reward, *_ = env.step(policy.act([0], seen[None], {})[0, 0])
        gained += float(reward)
    assert gained > 5
    assert (tmp_path / "state.pt").exists()
    assert list(tmp_path.glob("events*"))


def test_a_stopped_training_goes_on(tmp_path: Path) -> None:
    ppo.train(_config(tmp_path, steps=8 * 16 * 2))
    longer = _config(tmp_path, steps=8 * 16 * 3)
    env = ppo.make(longer)
    trainer = PPO(longer, env)
    assert trainer.update == 2
    trainer.run()
    env.close()
    assert trainer.update == 3


def test_an_environments_own_limit_comes_before_the_trainings(tmp_path: Path) -> None:
    for own, steps in (({}, 4), ({"max_episode_steps": 2}, 2)):
        env = ppo.make(_config(tmp_path, truncate=4, env_kwargs=own))
        env.reset(seed=0)
        over = [env.step(env.action_space.sample())[3].all() for _ in range(steps)]
        env.close()
        assert over == [False] * (steps - 1) + [True]


def test_a_dream_and_its_twin_take_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ["num_envs=2", "groups=2", "rollout=4", "steps=16", "truncate=5", "epochs=1"]
    monkeypatch.setattr(sys, "argv", ["ppo", f"out={tmp_path}", "+env_kwargs.observation=dict", *small])
    ppo.main()
    policy = OnnxPolicy(tmp_path / "policy.onnx")
    twin = ppo.make(
        PPOConfig(str(tmp_path), world="sim", num_envs=2, groups=2, steps=1000, env_kwargs={"observation": "dict"})
    )
    policy.check(twin.single_observation_space, twin.single_action_space)
    twin.close()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda out: _config(out, num_envs=9), "groups=2"),
        (lambda out: _config(out, steps=10), "less than one rollout"),
        (lambda out: parts(gym.spaces.Box(0, 255, (20, 20, 3), np.uint8)), "at least 36 pixels"),
        (lambda out: parts(gym.spaces.Discrete(3)), "one picture"),
        (lambda out: ActorCritic(Bright.observation_space, gym.spaces.Discrete(3)), "bounded Boxes"),
        (lambda out: ActorCritic(Bright.observation_space, Bright.action_space, stack=1), "at least 2 frames"),
    ],
)
def test_what_the_agents_cannot_do_is_told(call: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        call(tmp_path)


def test_a_stack_of_frames_knows_these_and_nothing_older() -> None:
    torch.manual_seed(0)
    network = ActorCritic(Bright.observation_space, Bright.action_space, stack=3)
    seen = torch.randint(0, 256, (8, 2, 36, 36, 3), dtype=torch.uint8)
    means, values, memory = network.along(network.embed(seen.flatten(0, 1)).unflatten(0, (8, 2)), network.begin(2))
    short = network.along(network.embed(seen[5:].flatten(0, 1)).unflatten(0, (3, 2)), network.begin(2))
    assert torch.allclose(means[-1], short[0][-1], atol=1e-6)
    assert torch.allclose(values[-1], short[1][-1], atol=1e-6)
    assert torch.allclose(memory, short[2], atol=1e-6)
    assert not torch.allclose(means[-2], short[0][-2], atol=1e-6)  # it had seen one frame more


def test_a_stacked_clone_is_what_training_begins_from(tmp_path: Path) -> None:
    _films(tmp_path / "data")
    policy = OnnxPolicy(bc.train(_clone(tmp_path, stack=2)), 1)
    trainer = PPO(_config(tmp_path, clone=str(tmp_path / "bc" / "actor.pt")), env := ppo.make(_config(tmp_path)))
    assert trainer.network.stack == 2
    memory = trainer.network.begin(1)
    policy.reset([0], [0])
    for level in (200, 50, 50):
        seen = np.full((1, 36, 36, 3), level, np.uint8)
        mean, _, memory = trainer.network(torch.from_numpy(seen), memory)
        assert policy.act([0], seen, {})[0, 0] == pytest.approx(
            trainer.network.scaled(mean)[0].detach().numpy(), abs=1e-5
        )
    env.close()


def test_a_state_of_another_network_is_told(tmp_path: Path) -> None:
    ppo.train(_config(tmp_path, steps=8 * 16))
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    state["network"]["mean.bias"] = torch.zeros(7)
    torch.save(state, tmp_path / "state.pt")
    config = _config(tmp_path)
    env = ppo.make(config)
    with pytest.raises(ValueError, match="another network"):
        PPO(config, env)
    env.close()


def _films(root: Path, count: int = 6, width: int = 1) -> Path:
    """Drives in `Bright` that answer as it pays, and in the last second before each ends the other way round."""
    dataset = episodes.create(root, DatasetSpec(8.0, (36, 36), ("push",) * width, termination=True))
    for index in range(count):
        sign = np.random.default_rng(index).choice([-1, 1], 25)
        frames = np.broadcast_to(np.where(sign > 0, 200, 50)[:, None, None, None], (25, 36, 36, 3)).astype(np.uint8)
        action = np.repeat(sign[:-1, None], width, 1).astype(np.float32)
        action[-8:] *= -1
        episodes.write(dataset, index, Episode(frames, action, reward=np.zeros(24, np.float32), terminated=True))
    episodes.finalise(dataset)
    return root


def _clone(root: Path, **changed: Any) -> BCConfig:
    plain = {"data": str(root / "data"), "out": str(root / "bc"), "env": "test/Bright-v0", "world": None, "avoid": 1.0}
    return BCConfig(**plain | {"batch": 8, "frames": 8, "steps": 80, "rate": 3e-3} | changed)


def test_a_clone_does_what_was_done_and_nothing_that_led_to_an_end(tmp_path: Path) -> None:
    _films(tmp_path / "data")
    policy = OnnxPolicy(bc.train(_clone(tmp_path)), 2)
    policy.reset([0, 1], [0, 1])
    seen = np.stack([np.full((36, 36, 3), level, np.uint8) for level in (200, 50)])
    action = policy.act([0, 1], seen, {})[:, 0, 0]
    assert action == pytest.approx([1.0, -1.0], abs=0.4)


def test_a_clone_of_a_share_learns_from_whole_episodes_of_it(tmp_path: Path) -> None:
    _films(tmp_path / "data")
    policy = OnnxPolicy(bc.train(_clone(tmp_path, share=0.34)), 2)
    policy.reset([0, 1], [0, 1])
    seen = np.stack([np.full((36, 36, 3), level, np.uint8) for level in (200, 50)])
    assert policy.act([0, 1], seen, {})[:, 0, 0] == pytest.approx([1.0, -1.0], abs=0.5)


def test_a_clone_knows_what_drivers_went_on_to_earn(tmp_path: Path) -> None:
    dataset = episodes.create(tmp_path / "data", DatasetSpec(8.0, (36, 36), ("push",), reward=True, termination=True))
    paid = np.random.default_rng(0).normal(size=(2, 24)).astype(np.float32)
    for index in range(2):
        frames, action = np.zeros((25, 36, 36, 3), np.uint8), np.zeros((24, 1), np.float32)
        episodes.write(dataset, index, Episode(frames, action, reward=paid[index], terminated=index == 1))
    episodes.finalise(dataset)
    earned, known = earnings(open_cache(tmp_path / "data", progress=False), 0.8)
    for index in range(2):
        weights = 0.8 ** np.arange(24)
        told = [(paid[index, t:] * weights[: 24 - t]).sum() for t in range(24)]
        assert earned[25 * index : 25 * index + 24] == pytest.approx(told, abs=1e-5)
    assert known[:25].sum() == 24 - 11  # of the drive that was cut off, all but the last: 0.8 ** 11 < 0.1
    assert known[25:].sum() == 24
    bc.train(_clone(tmp_path, worth=1.0, discount=0.8, steps=2))
    with pytest.raises(ValueError, match="discount"):
        _clone(tmp_path, discount=1.0)


def test_what_cannot_be_cloned_is_told(tmp_path: Path) -> None:
    _films(tmp_path / "data", 3, width=2)
    with pytest.raises(ValueError, match="have 2 numbers, the environment takes 1"):
        bc.train(_clone(tmp_path))
    with pytest.raises(ValueError, match="share"):
        _clone(tmp_path, share=0.0)
    with pytest.raises(ValueError, match=r"frames \(36, 36\), the environment \(64, 64\)"):
        bc.train(_clone(tmp_path, env="wmsim/Drive-v0", world="dream"))


# --- from a clone on -----------------------------------------------------------------------------------------------


def test_a_training_begins_as_its_clone_and_is_held_near_it(tmp_path: Path) -> None:
    _films(tmp_path / "data")
    bc.train(_clone(tmp_path))
    actor = str(tmp_path / "bc" / "actor.pt")
    away = {}
    for kl in (0.0, 30.0):
        config = _config(tmp_path / f"kl{kl}", clone=actor, kl=kl, settle=1, steps=8 * 16 * 6)
        env = ppo.make(config)
        trainer = PPO(config, env)
        assert torch.equal(trainer.network.mean.weight, torch.load(actor, weights_only=True)["network"]["mean.weight"])
        first = trainer.learn(trainer.collect())
        assert first["away"] == pytest.approx(0, abs=1e-6)  # only the value has learnt so far
        for trainer.update in range(1, 6):
            away[kl] = trainer.learn(trainer.collect())["away"]
        env.close()
    assert away[30.0] < 0.5 * away[0.0]


def test_a_clone_of_other_spaces_is_told(tmp_path: Path) -> None:
    _films(tmp_path / "data")
    bc.train(_clone(tmp_path, steps=1))
    state = torch.load(tmp_path / "bc" / "actor.pt", weights_only=True)
    state["network"]["mean.bias"] = torch.zeros(7)
    torch.save(state, tmp_path / "bc" / "actor.pt")
    config = _config(tmp_path, clone=str(tmp_path / "bc" / "actor.pt"))
    env = ppo.make(config)
    with pytest.raises(ValueError, match="is no clone for the spaces"):
        PPO(config, env)
    env.close()


def test_policies_are_kept_along_the_training(tmp_path: Path) -> None:
    ppo.train(_config(tmp_path, steps=8 * 16 * 4, keep_every=2))
    assert [path.name for path in sorted(tmp_path.glob("policy-*"))] == ["policy-00000256.onnx", "policy-00000512.onnx"]


# --- planning ------------------------------------------------------------------------------------------------------


def _planner(world: ToyWorld, **changed: Any) -> Planner:
    plain = {"candidates": 16, "horizon": 8, "rounds": 2, "execute": 2, "memory": 1, "most": 32}
    return Planner(world, PlanConfig(**plain | changed), 2)


class Recalled(ToyWorld):
    """A toy that begins where it was told to: start frames carry no state, so the place is handed over beside them."""

    place: Any = None

    def reset(self, slots: Any, seeds: Any, starts: Any = None) -> Any:
        shown = super().reset(slots, seeds)
        if starts is not None:
            self.restore(slots, self.place.select([0] * len(slots)))
        return shown


def _earned(policy: Any, inside: Recalled) -> float:
    """Of 24 frames in a toy world; the planner's own begins where that one stands."""
    real = ToyWorld(1, size=16)
    step, total = real.reset([0], [3]), 0.0
    policy.reset([0], [3])
    for _ in range(24):
        inside.place = real.snapshot([0])
        action = policy.act([0], step.frames["top"][:, -1].numpy(), {})
        step = real.step([0], Control.of_wheel(action[:, 0]))
        assert step.reward is not None
        total += float(step.reward.sum())
    return total


def _chance(slots: int) -> RandomPolicy:
    return RandomPolicy(ToyWorld(1, size=16).spec.controls["wheel"], slots)


def test_planning_earns_more_than_chance_and_a_guided_plan_more_than_its_guide() -> None:
    inside = Recalled(32, size=16)
    chance = _earned(_chance(1), inside)
    assert _earned(_planner(inside), inside) > chance + 0.5
    plain = {"candidates": 16, "horizon": 6, "rounds": 1, "execute": 2, "memory": 1, "most": 32, "tail": 4}
    assert _earned(Planner(inside, PlanConfig(**plain), 1, _chance), inside) > chance + 0.5


class Counting:
    """A guide that turns by how many frames it was shown since it was reset, and keeps what it was shown."""

    def __init__(self, slots: int) -> None:
        self.count, self.shown = np.zeros(slots, int), [[] for _ in range(slots)]  # type: ignore[var-annotated]

    def reset(self, rows: Any, seeds: Any) -> None:
        for row in rows:
            self.count[row], self.shown[row] = 0, []

    def act(self, rows: Any, observation: Any, info: Any) -> Any:
        for place, row in enumerate(rows):
            self.count[row] += 1
            self.shown[row].append(int(observation[place].max()))
        turn = 0.1 * self.count[list(rows)].astype(np.float32)
        return np.stack([turn, np.zeros_like(turn)], 1)[:, None]


def test_a_guide_is_asked_at_every_frame_and_in_a_dream_after_what_was_seen() -> None:
    inside, made = Recalled(8, size=16), []

    def guide(slots: int) -> Any:
        made.append(Counting(slots))
        return made[-1]

    plan = PlanConfig(candidates=2, horizon=2, execute=1, memory=3, rounds=1, most=8, tail=2, spread=0.0)
    planner = Planner(inside, plan, 2, guide)
    inside.reset([0], [5])
    inside.place = inside.snapshot([0])
    planner.reset([0, 1], [5, 6])
    for turn in range(1, 5):
        seen = np.full((2, 16, 16, 3), turn, np.uint8)
        action = planner.act([0, 1], seen, {})
        assert action[:, 0, 0] == pytest.approx([0.1 * turn] * 2)  # a plan of no spread is the guide's own
        inner = made[1].shown
        assert [one[: min(turn, 3)] for one in inner[:4]] == [list(range(max(1, turn - 2), turn + 1))] * 4
        assert {len(one) for one in inner[:4]} == {min(turn, 3) + 4}  # what was seen, then each frame of the roll


def test_a_plan_hangs_on_its_seed_alone() -> None:
    inside = Recalled(32, size=16)
    inside.reset([0], [5])
    inside.place = inside.snapshot([0])
    seen = np.zeros((2, 16, 16, 3), np.uint8)
    both, one = _planner(inside), _planner(inside)
    both.reset([0, 1], [7, 8])
    one.reset([0], [8])
    assert both.act([0, 1], seen, {})[1] == pytest.approx(one.act([0], seen[:1], {})[0], abs=1e-6)


def test_mpc_plans_in_the_dream_and_drives_in_the_twin() -> None:
    plan = PlanConfig(candidates=2, horizon=2, rounds=1, execute=2, memory=4, most=2)
    returns = mpc.run(mpc.MPCConfig(episodes=2, steps=3, plan=plan), Console(quiet=True))
    assert len(returns) == 2
    assert np.isfinite(returns).all()


class Cliff(Recalled):
    """Pays for a turn to the left, which ends the episode."""

    def step(self, slots: Any, control: Control) -> Any:
        shown = super().step(slots, control)
        left = control.require("robot")[..., 0] > 0
        return replace(shown, reward=left.float(), terminated=left)


@pytest.mark.parametrize(("ending", "turns_left"), [(0.0, True), (5.0, False)])
def test_an_end_costs_what_it_is_said_to_cost(ending: float, turns_left: bool) -> None:
    inside = Cliff(32, size=16)
    inside.reset([0], [5])
    inside.place = inside.snapshot([0])
    planner = _planner(inside, horizon=2, rounds=1, ending=ending)
    planner.reset([0], [7])
    action = planner.act([0], np.zeros((1, 16, 16, 3), np.uint8), {})
    assert (action[0, 0, 0] > 0) == turns_left


class Straight(nn.Module):
    """Full speed ahead."""

    def forward(self, image: Tensor, proprio: Tensor) -> Tensor:
        ahead = 0.0 * proprio[:, :1] + torch.tensor([[0.0, 1.0]])
        return (ahead + 0.0 * image.float().mean((1, 2, 3))[:, None])[:, None]


def test_a_policy_file_guides_a_plan_and_one_of_other_spaces_is_told(tmp_path: Path) -> None:
    env = gym.make_vec("wmsim/Drive-v0", 1, vectorization_mode="vector_entry_point", observation="dict")
    seen, acts = env.single_observation_space, env.single_action_space
    env.close()
    save_policy(Straight(), tmp_path / "straight.onnx", seen, acts)
    plan = PlanConfig(candidates=2, horizon=2, rounds=1, execute=2, memory=4, most=2, tail=1)
    config = mpc.MPCConfig(episodes=1, steps=3, plan=plan, guide=str(tmp_path / "straight.onnx"))
    assert np.isfinite(mpc.run(config, Console(quiet=True))).all()
    other = gym.spaces.Box(-2.0, 2.0, (2,), np.float32)
    save_policy(Straight(), tmp_path / "other.onnx", seen, other)
    with pytest.raises(ValueError, match="the policy's actions"):
        mpc.run(replace(config, guide=str(tmp_path / "other.onnx")), Console(quiet=True))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: PlanConfig(candidates=1), "2 candidates"),
        (lambda: PlanConfig(execute=9, horizon=8), "execute=9"),
        (lambda: PlanConfig(tail=-1), "tail=-1"),
        (lambda: _planner(ToyWorld(4)), "the world has 4"),
        (lambda: _planner(ToyWorld(32), tail=4), "give a guide"),
    ],
)
def test_what_cannot_be_planned_is_told(made: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made()
