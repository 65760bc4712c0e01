"""The network: shapes, causality, cached equals uncached, the rolling cache, heads, packing."""

import platform
from dataclasses import replace

import pytest
import torch

from tests.model_tiny import CONFIG, DYNAMICS, TOKENIZER, tiny_model
from wmsim.model.cache import RollingCache
from wmsim.model.dynamics import DynamicsConfig, pack, unpack
from wmsim.model.flow import CONTEXT_TAU, mix
from wmsim.model.heads import Heads, felt, symexp, symlog, two_hot
from wmsim.model.layers import attend
from wmsim.model.precision import autocast, fast_dtype
from wmsim.model.tokenizer import TokenizerConfig, to_frames, to_pixels
from wmsim.model.world_model import WorldModelConfig, stride

FRAMES = 4 * DYNAMICS.context + 2


def _run(model, history, action, single=False, noised=None):  # type: ignore[no-untyped-def]
    """Clean latents from pure noise after the history, and the history's features."""
    batch, frames = history.shape[:2]
    tau, linked = torch.zeros(batch, frames), torch.ones(batch, frames, dtype=torch.bool)
    linked[:, 0] = False
    noised = torch.zeros_like(history) if noised is None else noised
    shown = torch.full((batch,), CONTEXT_TAU)
    made, features, _ = model.dynamics(
        history, noised, tau, torch.ones_like(tau), shown, action, linked, torch.full((batch,), single)
    )
    return made, features


def _film(batch: int = 2, frames: int = FRAMES) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    tokens = torch.randn(batch, frames, DYNAMICS.tokens, DYNAMICS.channels, generator=generator)
    return tokens, torch.randn(tokens.shape, generator=generator), torch.randn(batch, frames, 2, generator=generator)


def test_attend_is_grouped_scaled_dot_product_attention() -> None:
    query, key, value = torch.randn(3, 4, 5, 8), torch.randn(3, 2, 6, 8), torch.randn(3, 2, 6, 8)
    wanted = torch.nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
    assert torch.allclose(attend(query, key, value), wanted, atol=1e-5)


def test_cached_equals_uncached_far_beyond_the_context() -> None:
    model, (tokens, noise, action) = tiny_model(), _film()
    history = mix(noise, tokens, torch.full(tokens.shape[:2], CONTEXT_TAU))
    made, features = _run(model, history, action, noised=noise)
    wanted = model.dynamics.heads(features)
    cache = RollingCache(DYNAMICS, 2, torch.float32)
    for t in range(FRAMES):
        bias, linked = model.dynamics.cache_bias(*cache.ages([0, 1])), cache.counts > 0
        level = torch.zeros(2), torch.ones(2)
        clean, _ = model.dynamics.step(
            noise[:, t], cache.newest, *level, action[:, t], linked, cache.gather([0, 1]), bias
        )
        assert torch.allclose(clean, made[:, t], atol=1e-3), t
        read = model.commit(tokens[:, t], noise[:, t], action[:, t], cache, [0, 1])
        assert torch.allclose(read.log_error, wanted.log_error[:, t], atol=1e-3), t
        assert torch.allclose(read.reward, wanted.reward[:, t], atol=1e-3), t


def test_a_row_of_the_cache_does_not_know_the_others() -> None:
    model, (tokens, noise, action) = tiny_model(), _film()
    together, alone = RollingCache(DYNAMICS, 2, torch.float32), RollingCache(DYNAMICS, 2, torch.float32)
    for t in range(FRAMES):
        both = model.commit(tokens[:, t], noise[:, t], action[:, t], together, [0, 1])
        one = model.commit(tokens[1:, t], noise[1:, t], action[1:, t], alone, [1])
        assert torch.allclose(both.log_error[1:], one.log_error, atol=1e-4)
    assert alone.counts.tolist() == [0, FRAMES]


def test_the_network_is_causal_and_forgets_what_left_the_window() -> None:
    model, (tokens, _, action) = tiny_model(), _film()
    before, _ = _run(model, tokens, action)
    later = tokens.clone()
    later[:, 10] += 1
    after, _ = _run(model, later, action)
    assert torch.equal(before[:, :11], after[:, :11])
    assert not torch.allclose(before[:, 11], after[:, 11])
    reach = 12 + DYNAMICS.context * DYNAMICS.time_layers
    assert reach < FRAMES
    assert torch.allclose(before[:, reach:], after[:, reach:], atol=1e-5)


def test_single_images_see_no_other_frame() -> None:
    model, (tokens, _, action) = tiny_model(), _film()
    before, _ = _run(model, tokens, action, single=True)
    tokens[:, :5] += 1
    after, _ = _run(model, tokens, action, single=True)
    assert torch.allclose(before[:, 5:], after[:, 5:], atol=1e-5)


def test_actions_reach_the_prediction_and_unknown_ones_do_not() -> None:
    model, (tokens, _, action) = tiny_model(), _film()
    before, _ = _run(model, tokens, action)
    other, _ = _run(model, tokens, action + 1)
    assert not torch.allclose(before[:, 1], other[:, 1])
    assert torch.equal(before[:, 0], other[:, 0])


def test_the_heads_are_told_the_motion_before_where_it_is_known() -> None:
    features, motion = torch.randn(5, 2 * DYNAMICS.dim), torch.randn(5, 2)
    fresh, model = Heads(2 * DYNAMICS.dim, 2, felt=True), tiny_model()
    assert torch.equal(fresh(features, felt(motion)).proprio, fresh(features).proprio)  # begins by adding nothing
    known = torch.tensor([True, False, True, False, True])
    told, untold = model.dynamics.heads(features, felt(motion, known)), model.dynamics.heads(features)
    for name in ("reward", "end", "proprio"):
        change = (getattr(told, name) - getattr(untold, name)).reshape(5, -1).abs().amax(1)
        assert (change > 1e-6).tolist() == known.tolist(), name


def test_what_the_heads_remember_tells_equal_frames_apart() -> None:
    features, past = torch.randn(3, 2 * DYNAMICS.dim), torch.randn(3, 2 * DYNAMICS.dim)
    fresh, heads = Heads(2 * DYNAMICS.dim, 2, memory=8), tiny_model().dynamics.heads
    begun = torch.zeros(3, 8)
    assert torch.equal(fresh(features, None, begun).reward, fresh(features).reward)  # begins by adding nothing
    first = heads(past, None, begun)
    assert first.memory is not None
    assert heads(past).memory is None
    later, alone = heads(features, None, first.memory), heads(features, None, begun)
    for name in ("reward", "end", "proprio", "memory"):
        assert not torch.allclose(getattr(later, name), getattr(alone, name), atol=1e-6), name
    after = heads.remember(features, None, first.memory)
    assert torch.equal(later.memory, after)
    assert torch.equal(heads.outputs(features, None, after)[2], later.proprio)


def test_motion_goes_on_from_the_motion_before() -> None:
    model, (tokens, noise, action) = tiny_model(), _film()
    model.proprio_mean, model.proprio_std = torch.tensor([3.0, -1.0]), torch.tensor([2.0, 0.5])
    model.dynamics.heads.feel.weight.data.zero_()
    model.dynamics.heads.keep.weight.data = torch.tensor([[0.5, 0.0, 0.0], [0.0, 1.0, 0.0]])
    given = noise[:, 0], action[:, 0]
    moved = []
    for before in ([7.0, -1.0], [9.0, 0.5]):
        cache = RollingCache(DYNAMICS, 2, torch.float32)
        moved.append(model.commit(tokens[:, 0], *given, cache, [0, 1], before=torch.tensor([before] * 2)).proprio)
    assert torch.allclose(moved[1] - moved[0], torch.tensor([1.0, 1.5]), atol=1e-5)


def test_state_of_a_cache_row_can_be_moved() -> None:
    model, (tokens, noise, action) = tiny_model(), _film()
    cache = RollingCache(DYNAMICS, 3, torch.float32)
    for t in range(9):
        model.commit(tokens[:, t], noise[:, t], action[:, t], cache, [0, 1])
    cache.load(2, cache.state(1))
    twice = [model.commit(tokens[1:, 9], noise[1:, 9], action[1:, 9], cache, [row]).log_error for row in (1, 2)]
    assert torch.equal(*twice)


def test_a_single_pass_asks_for_the_mean_first_and_for_a_sample_later() -> None:
    counts = torch.tensor([0, 1, 31, 47, 48, 64, 5000])
    asked = stride(counts, torch.zeros(len(counts), DYNAMICS.actions), replace(DYNAMICS, finest=8))
    assert asked.tolist() == [1 / 8, 1 / 8, 1 / 8, 1 / 8, 1, 1, 1]


def test_pack_and_unpack_are_inverse() -> None:
    latent = torch.randn(3, 4, 6, 5)
    tokens = pack(latent, 2)
    assert tokens.shape == (3, 6, 20)
    assert torch.equal(unpack(tokens, 4, 2), latent)
    assert torch.equal(tokens[0, 0], latent[0, :2, :2].flatten())


def test_frames_survive_the_way_to_pixels_and_back() -> None:
    frames = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(-1, -1, -1, 3)
    assert torch.equal(to_frames(to_pixels(frames)), frames)


def test_tokenizer_shapes_and_bounds() -> None:
    model = tiny_model()
    frames = torch.randint(0, 256, (2, 16, 16, 3), dtype=torch.uint8)
    latent = model.tokenizer.encode(frames)
    assert latent.shape == (2, 4, 4, 4)
    assert latent.abs().max() <= 1
    assert model.decode(model.encode(frames)).shape == frames.shape
    assert torch.allclose(model.to_latent(model.to_tokens(latent)), latent, atol=1e-5)


def test_rows_without_a_frame_before_are_painted() -> None:
    tokenizer, latent = tiny_model().tokenizer, torch.rand(2, 4, 4, 4)
    before = torch.rand(2, 3, 16, 16)
    for weight in (tokenizer.look.weight, tokenizer.motion.weight):
        torch.nn.init.normal_(weight, std=0.1)
    painted = tokenizer.decode_pixels(latent)
    mixed = tokenizer.decode_pixels(latent, before, torch.tensor([True, False]))
    assert torch.allclose(mixed[1], painted[1], atol=1e-6)
    assert not torch.allclose(mixed[0], painted[0], atol=1e-2)
    assert torch.allclose(tokenizer.decode_pixels(latent, before)[0], mixed[0], atol=1e-6)


@pytest.mark.parametrize("flow", [(0.0, 0.0), (3.0, 0.0), (0.0, -2.0)])
def test_what_is_carried_over_moves_by_the_flow(flow: tuple[float, float]) -> None:
    tokenizer, before = tiny_model().tokenizer, torch.rand(1, 3, 16, 16)
    cells = torch.tensor(flow).repeat_interleave(16)
    share = torch.full((len(tokenizer.motion.bias) - 32,), 50.0)
    tokenizer.motion.bias.copy_(torch.cat([share, cells]))
    made = tokenizer.decode_pixels(torch.zeros(1, 4, 4, 4), before)
    wanted = torch.roll(before, (-int(flow[1]), -int(flow[0])), (2, 3))
    assert torch.allclose(made[..., 4:12, 4:12], wanted[..., 4:12, 4:12], atol=1e-5)


def test_the_decoder_learns_to_move_what_no_latent_could_hold() -> None:
    tokenizer = tiny_model().tokenizer.requires_grad_(True)
    optimizer = torch.optim.Adam(tokenizer.parameters(), 1e-2)
    draw = torch.Generator().manual_seed(0)
    for _ in range(150):
        before = torch.rand(8, 3, 16, 16, generator=draw) * 2 - 1
        now = torch.roll(before, 1, 3)
        error = (tokenizer.decode_pixels(tokenizer.encode_pixels(now), before) - now)[..., 2:-2, 2:-2].square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    painted = (tokenizer.decode_pixels(tokenizer.encode_pixels(now)) - now)[..., 2:-2, 2:-2].square().mean()
    assert error.item() < 0.2 * painted.item()


def test_two_hot_expectation_is_the_value() -> None:
    bins = torch.linspace(-6, 6, 61)
    values = torch.tensor([-3.0, -0.07, 0.0, 0.013, 0.5, 20.0])
    assert torch.allclose((two_hot(values, bins) * symexp(bins)).sum(-1), values, atol=1e-4)
    assert torch.allclose(symexp(symlog(values)), values, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TokenizerConfig(height=60), "60x64"),
        (lambda: DynamicsConfig(finest=6), "power of two"),
        (lambda: WorldModelConfig(TOKENIZER, replace(DYNAMICS, tokens=5)), "4 tokens of 16"),
        (lambda: tiny_model().dynamics._block(0).__class__(48, 5, 5, 64), "multiple of heads"),
    ],
)
def test_sizes_that_do_not_fit_are_told(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=words):
        make()


def test_a_configuration_survives_its_plain_form() -> None:
    assert WorldModelConfig.from_dict(CONFIG.to_dict()) == CONFIG


@pytest.mark.parametrize(
    ("machine", "tiles", "able", "expected"),
    [
        ("x86_64", True, True, torch.bfloat16),
        ("AMD64", False, True, torch.float32),
        ("aarch64", False, True, torch.bfloat16),
        ("aarch64", False, False, torch.float32),
    ],
)
def test_a_processor_multiplies_in_bfloat16_only_if_it_can(monkeypatch, machine, tiles, able, expected) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: able)
    assert fast_dtype("cpu") == expected
    assert fast_dtype("cuda:0") == torch.bfloat16
    with autocast("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected
