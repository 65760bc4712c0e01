"""The flow's arithmetic: levels on their grid, targets that are right for a straight flow, a sampler that lands."""

import pytest
import torch

from wmsim.model.flow import consistency_target, draw_levels, mix, ramp, sample, velocity


def test_levels_cover_every_pair_of_the_grid_and_nothing_else() -> None:
    generator = torch.Generator().manual_seed(0)
    tau, d = draw_levels(64, 64, 8, True, generator)
    fine_tau, fine_d = draw_levels(64, 64, 8, False, generator)
    pairs = {
        (float(t), float(s))
        for t, s in zip(torch.cat([tau, fine_tau]).flatten(), torch.cat([d, fine_d]).flatten(), strict=True)
    }
    assert pairs == {(i * s, s) for s in (1 / 8, 1 / 4, 1 / 2, 1.0) for i in range(int(1 / s))}


def test_mix_runs_from_noise_to_data() -> None:
    noise, clean = torch.zeros(1, 2, 3, 4), torch.ones(1, 2, 3, 4)
    assert torch.equal(mix(noise, clean, torch.tensor([[0.0, 1.0]]))[0, :, 0, 0], torch.tensor([0.0, 1.0]))
    assert ramp(torch.tensor([[0.0, 1.0]])).tolist() == [[pytest.approx(0.1), pytest.approx(1.0)]]


def test_the_target_of_a_perfect_predictor_is_the_data() -> None:
    clean, noise = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    tau, d = draw_levels(2, 3, 8, True, torch.Generator().manual_seed(1))
    target = consistency_target(lambda z, t, s: clean, mix(noise, clean, tau), tau, d)
    assert torch.allclose(target, clean, atol=1e-4)


def test_the_target_averages_the_two_half_steps() -> None:
    tau, d = torch.zeros(1, 1), torch.ones(1, 1)
    noised = torch.zeros(1, 1, 1, 1)
    answers = iter([torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), 4.0)])
    target = consistency_target(lambda z, t, s: next(answers), noised, tau, d)
    # b' = 2, the middle is 1, b'' = (4 - 1) / 0.5 = 6, so x = (2 + 6) / 2
    assert target.item() == pytest.approx(4.0)


def test_velocity_of_a_straight_flow_is_constant() -> None:
    clean, noise = torch.randn(1, 1, 2, 2), torch.randn(1, 1, 2, 2)
    for level in (0.0, 0.25, 0.75):
        tau = torch.full((1, 1), level)
        assert torch.allclose(velocity(clean, mix(noise, clean, tau), tau), clean - noise, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_the_sampler_visits_each_level_once_and_lands_on_the_prediction(steps: int) -> None:
    seen: list[tuple[float, float]] = []
    clean, noise = torch.randn(2, 3, 4), torch.randn(2, 3, 4)

    def predict(z: torch.Tensor, tau: float, d: float) -> torch.Tensor:
        seen.append((tau, d))
        assert torch.allclose(z, (1 - tau) * noise + tau * clean, atol=1e-5)
        return clean

    assert torch.allclose(sample(predict, noise, steps), clean)
    assert seen == [(i / steps, 1 / steps) for i in range(steps)]
