"""The adversary: what the critic tells apart, what the pool keeps, what is asked for that cannot be."""

from __future__ import annotations

import pytest
import torch

from tests.model_tiny import CONFIG, DYNAMICS, tiny_model
from wmsim.train.adversary import AdversaryConfig, recorded
from wmsim.train.critic import BEFORE, SEEN, Critic, critic_loss, dream_loss, jittered
from wmsim.train.loop import Draw
from wmsim.train.pool import Pool

TOKENS = (DYNAMICS.tokens, DYNAMICS.channels)


def test_the_critic_learns_what_is_recorded_and_tells_the_dream_how_to_look_so() -> None:
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(0)
    critic = Critic(CONFIG, 32, 1)
    optimizer = torch.optim.Adam(critic.parameters(), 3e-3)
    sink, action = torch.zeros(8, *TOKENS), torch.zeros(8, 2)
    for _ in range(80):
        noise = torch.randn(2, 8, SEEN, *TOKENS, generator=draw)
        real, fake = noise[0] + 0.5, noise[1] - 0.5
        both = torch.cat([real, fake])
        both = torch.cat([both, jittered(both, draw)])
        logits = critic(both, sink.repeat(4, 1, 1), action.repeat(4, 1)).unflatten(0, (4, 8))
        loss, _, told_apart = critic_loss(logits, 0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert told_apart > 0.9
    fake.requires_grad_(True)
    dream_loss(critic(fake, sink, action), critic(real, sink, action).detach()).backward()
    assert fake.grad is not None
    assert fake.grad[:, -1].mean() < 0


def test_the_penalty_measures_the_slope() -> None:
    flat = torch.zeros(4, 5, 2, 2)
    steep = flat.clone()
    steep[2:] += 1.0
    assert critic_loss(flat, 1.0)[1] == 0
    assert critic_loss(steep, 1.0)[0] > critic_loss(steep, 0.1)[0] > critic_loss(flat, 1.0)[0]


def test_every_input_reaches_the_verdict() -> None:
    critic, given = Critic(CONFIG, 32, 1), (torch.randn(2, SEEN, *TOKENS), torch.randn(2, *TOKENS), torch.randn(2, 2))
    with torch.no_grad():
        wanted = critic(*given)
        assert wanted.shape == (2, 4, 4)
        for place in range(3):
            changed = [one + 1 if i == place else one for i, one in enumerate(given)]
            assert not torch.allclose(critic(*changed), wanted)


def test_recorded_frames_for_the_critic_follow_each_other() -> None:
    clean = torch.arange(16.0).reshape(2, 8, 1, 1)
    linked = torch.ones(2, 8, dtype=torch.bool)
    linked[:, 0] = linked[0, 1] = linked[1, 3] = False
    judged = recorded(clean, clean[..., 0], linked, 200, Draw.of(0, 0, 0))
    frames = judged.frames.flatten(1)
    assert torch.equal(frames[:, -1:] - frames, torch.tensor([[*BEFORE, 0.0]]).expand(200, -1))
    assert torch.equal(judged.action.flatten(), frames[:, -1])
    assert set(frames[:, 0].tolist()) == {1.0, 2.0, 3.0, 11.0}
    assert torch.equal(judged.sink.flatten(), torch.where(frames[:, 0] < 8, 0.0, 8.0))


def test_the_pool_remembers_its_dreams_and_is_saved_whole() -> None:
    model, pool, kept = tiny_model(), Pool(CONFIG, 3), max(BEFORE)
    frames, features = torch.randn(kept + 1, 2, *TOKENS), torch.randn(2, 2 * DYNAMICS.dim)
    pool.cache.clear([0, 2])
    for frame in frames:
        model.commit(frame, frame, torch.zeros(2, 2), pool.cache, [0, 2])
        pool.see([0, 2], frame, features)
    assert torch.equal(pool.sink[[0, 2]], frames[0])
    assert torch.equal(pool.recent[[0, 2]], frames[1:].transpose(0, 1))
    assert not pool.recent[1].any()
    other = Pool(CONFIG, 3)
    other.load_state_dict(pool.state_dict())
    assert other.cache.counts.tolist() == [kept + 1, 0, kept + 1]
    assert torch.equal(other.cache.layers[0][0], pool.cache.layers[0][0])
    assert other.cache.layers[0][0].any()


@pytest.mark.parametrize(("changed", "words"), [({"drawn": 65}, "pool=64"), ({"start": 3}, "at least 4")])
def test_a_pool_that_cannot_be_is_told(changed: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AdversaryConfig(**changed)
