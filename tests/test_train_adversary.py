"""The adversary: what the critic tells apart, what the pool keeps, what is asked for that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.model_tiny import CONFIG, DYNAMICS, tiny_model
from wmsim.model import world_model
from wmsim.train.adversary import Adversary, AdversaryConfig
from wmsim.train.critic import (
    BEFORE,
    SEEN,
    Critic,
    Reader,
    critic_loss,
    dream_loss,
    jittered,
    misread,
    told_apart,
)
from wmsim.train.judged import recorded
from wmsim.train.latents import LatentBatch, Latents
from wmsim.train.loop import Draw
from wmsim.train.pool import Pool

TOKENS = (DYNAMICS.tokens, DYNAMICS.channels)
TOLD = DYNAMICS.actions + DYNAMICS.proprio


def test_the_critic_learns_what_is_recorded_and_tells_the_dream_how_to_look_so() -> None:
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(0)
    critic = Critic(CONFIG, 32, 1)
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    sink, told, counts = torch.zeros(8, *TOKENS), torch.zeros(8, TOLD), torch.ones(8)
    nothing = torch.zeros(8, 0)
    for _ in range(80):
        noise = torch.randn(2, 8, SEEN, *TOKENS, generator=draw)
        real, fake = noise[0] + 0.5, noise[1] - 0.5
        both = torch.cat([real, fake])
        both = torch.cat([both, jittered(both, draw)])
        logits = critic(both, sink.repeat(4, 1, 1), told.repeat(4, 1), nothing.repeat(4, 1)).unflatten(0, (4, 8))
        loss, _ = critic_loss(logits, 0.01, counts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert told_apart(logits[1], logits[0], counts) > 0.9
    fake.requires_grad_(True)
    verdict, other = critic(fake, sink, told, nothing), critic(real, sink, told, nothing)
    dream_loss(verdict, other.detach(), counts).backward()
    assert fake.grad is not None
    assert fake.grad[:, -1].mean() < 0


def test_the_reader_learns_what_happened_and_tells_the_dream_how_to_obey() -> None:
    torch.manual_seed(0)
    draw, reader, counts = torch.Generator().manual_seed(0), Reader(CONFIG, 32, 1), torch.ones(16)
    optimizer = torch.optim.Adam(reader.parameters(), 3e-3)
    for _ in range(120):
        frames, happened = torch.randn(16, SEEN, *TOKENS, generator=draw), torch.randn(16, TOLD, generator=draw)
        frames[:, -1] += happened[:, :1, None]
        loss = misread(reader(frames), happened, counts).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    error = (reader(frames) - happened).square().mean(0).detach()
    assert error[0] < 0.5 * error[1:].mean()
    frames.requires_grad_(True)
    misread(reader(frames), happened + torch.eye(TOLD)[0], counts).mean().backward()
    assert frames.grad is not None
    assert frames.grad[:, -1].mean() < 0


def test_the_penalty_measures_the_slope() -> None:
    flat = torch.zeros(4, 5, 2, 2)
    steep = flat.clone()
    steep[2:] += 1.0
    counts = torch.ones(5)
    assert critic_loss(flat, 1.0, counts)[1] == 0
    assert critic_loss(steep, 1.0, counts)[0] > critic_loss(steep, 0.1, counts)[0] > critic_loss(flat, 1.0, counts)[0]


def test_only_frames_that_count_are_judged() -> None:
    fake, real, counts = torch.randn(5, 2, 2), torch.randn(5, 2, 2), torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0])
    other = torch.where(counts[:, None, None] > 0, fake, fake + 9)
    assert torch.equal(dream_loss(fake, real, counts), dream_loss(other, real, counts))
    logits, others = torch.stack([real, fake, real, fake]), torch.stack([real, other, real, other])
    for one, same in zip(critic_loss(logits, 1.0, counts), critic_loss(others, 1.0, counts), strict=True):
        assert torch.equal(one, same)
    assert dream_loss(fake, real, 0 * counts) == 0


def test_every_input_reaches_the_verdict() -> None:
    critic = Critic(replace(CONFIG, dynamics=replace(DYNAMICS, events=8)), 32, 1)
    torch.nn.init.normal_(critic.event.outward.weight)  # deaf at first
    given = (torch.randn(2, SEEN, *TOKENS), torch.randn(2, *TOKENS), torch.randn(2, TOLD), torch.randn(2, 10))
    with torch.no_grad():
        wanted = critic(*given)
        assert wanted.shape == (2, 4, 4)
        for place in range(4):
            changed = [one + 1 if i == place else one for i, one in enumerate(given)]
            assert not torch.allclose(critic(*changed), wanted)


def test_recorded_frames_for_the_critic_follow_each_other() -> None:
    reach = max(BEFORE)
    clean = torch.arange(40.0).reshape(2, 20, 1, 1)
    linked = torch.ones(2, 20, dtype=torch.bool)
    linked[:, 0] = linked[1, 5] = False
    after = clean[:, 1:, :, 0]
    judged = recorded(clean, after, -after, 2 * after, linked, 200, Draw.of(0, 0, 0))
    frames = judged.frames.flatten(1)
    assert torch.equal(frames[:, -1:] - frames, torch.tensor([[*BEFORE, 0.0]]).expand(200, -1))
    assert torch.equal(judged.told.flatten(), frames[:, -1])
    assert torch.equal(judged.happened.flatten(), -frames[:, -1])
    assert torch.equal(judged.event.flatten(), 2 * frames[:, -1])
    assert set(frames[:, -1].tolist()) == {*range(reach, 20), *range(20 + reach, 25), *range(25 + reach, 40)}
    assert torch.equal(judged.sink.flatten(), torch.where(frames[:, 0] < 20, 0.0, 20.0))


def test_the_pool_remembers_its_dreams_and_is_saved_whole() -> None:
    model, kept = tiny_model(), max(BEFORE)
    pool = Pool(model, 3)
    frames, features = torch.randn(kept + 1, 2, *TOKENS), torch.randn(2, 2 * DYNAMICS.dim)
    pool.cache.clear([0, 2])
    for frame in frames:
        model.commit(frame, frame, torch.zeros(2, 2), pool.cache, [0, 2])
        pool.see([0, 2], frame, features)
    assert torch.equal(pool.sink[[0, 2]], frames[0])
    assert torch.equal(pool.recent[[0, 2]], frames[1:].transpose(0, 1))
    assert not pool.recent[1].any()
    other = Pool(model, 3)
    other.load_state_dict(pool.state_dict())
    assert other.cache.counts.tolist() == [kept + 1, 0, kept + 1]
    assert torch.equal(other.cache.layers[0][0], pool.cache.layers[0][0])
    assert other.cache.layers[0][0].any()


@pytest.mark.parametrize(
    ("changed", "words"), [({"drawn": 65}, "pool=64"), ({"stirred": 64}, "pool=64"), ({"start": 3}, "at least 4")]
)
def test_a_pool_that_cannot_be_is_told(changed: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AdversaryConfig(**changed)


# --- the game ------------------------------------------------------------------------------------------------------


class Moments(Latents):
    """Recorded windows of noise, for pools to begin from."""

    wordings = None

    def __init__(self) -> None:
        """There is no recording."""

    def sample(self, draw: Draw, rows: int, frames: int, endings: float) -> LatentBatch:
        latent = torch.randn((rows, frames, 4, 4, 4), generator=draw.torch).clamp(-1, 1)
        flag, pair = torch.ones(rows, frames, dtype=torch.bool), torch.zeros(rows, frames, 2)
        place = np.zeros((rows, frames), np.int64)
        return LatentBatch(
            latent, pair, pair, torch.zeros(rows, frames), ~flag, flag, place, torch.zeros(rows, frames, 0)
        )


def _game(**changed: Any) -> tuple[Adversary, Callable[[int], dict[str, torch.Tensor]]]:
    plain = {"pool": 4, "drawn": 2, "stirred": 0, "run": 2, "start": 4, "leave": 0.0}
    torch.manual_seed(0)
    adversary = Adversary(tiny_model(), Moments(), AdversaryConfig(**plain | changed))
    clean, action = torch.randn(3, 8, *TOKENS), torch.zeros(3, 8, 2)
    linked, features = torch.ones(3, 8, dtype=torch.bool), torch.randn(3, 8, 2 * DYNAMICS.dim)
    return adversary, lambda step: adversary(clean, action, linked, features, Draw.of(0, step, 0))


def test_young_dreams_are_means_and_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    _, play = _game()
    assert float(play(0)["adversary"]) == 0
    monkeypatch.setattr(world_model, "_MEANS", 0)
    assert float(play(1)["adversary"]) > 0


def test_stirred_dreams_are_read_and_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_model, "_MEANS", 0)
    judged = []
    for stirred in (0, 2):
        adversary, play = _game(stirred=stirred, drawn=4)
        monkeypatch.setattr(adversary, "_veiled", lambda one, draw: (judged.append(one), one)[1])
        play(0)
    plain, half = judged[0], judged[2]
    assert plain.counts.tolist() == plain.reads.tolist() == half.reads.tolist() == [1.0] * 8
    assert half.counts.sum() == 4
    calm = half.counts[:4] > 0
    assert torch.equal(half.told[:4][calm], plain.told[:4][calm])
    assert not torch.isclose(half.told[:4][~calm], plain.told[:4][~calm]).all(1).any()


def test_a_critic_that_tells_too_much_apart_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_model, "_MEANS", 0)
    assert "critic" not in _game(rest=-1.0)[1](0)
    adversary, play = _game(rest=1.0)
    play(0)["critic"].backward()
    assert all(weight.grad is not None for weight in adversary.critic.parameters())
    assert all(weight.grad is None for weight in adversary.model.parameters())


@pytest.mark.parametrize("lesson", ["adversary", "obedience"])
def test_verdict_and_reading_teach_the_dream_alone(lesson: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_model, "_MEANS", 0)
    adversary, play = _game()
    adversary.model.requires_grad_(True)
    play(0)[lesson].backward()
    assert adversary.model.dynamics.outward.weight.grad is not None
    judges = [*adversary.critic.parameters(), *adversary.reader.parameters()]
    assert all(weight.grad is None for weight in judges)


def test_the_reader_learns_from_recorded_frames_alone() -> None:
    adversary, play = _game()
    adversary.model.requires_grad_(True)
    play(0)["reader"].backward()
    assert all(weight.grad is not None for weight in adversary.reader.parameters())
    assert all(weight.grad is None for weight in adversary.model.parameters())


def test_dreams_that_are_lost_leave_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_model, "_MEANS", 0)
    for lost, left in ((1e3, 0), (-1e3, 2)):
        adversary, play = _game(lost=lost)
        play(0)
        assert int((adversary.pool.age == -1).sum()) == 2 + left  # two of four were never drawn
        assert int((adversary.pool.age == 2).sum()) == 2 - left
