"""Events told to a dream: heard at once, lost in time, kept by snapshots, learnt from captions; no trace without."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.model_tiny import CONFIG, square_film, tiny_model
from tests.test_checkpoint import CARD, tiny_starts
from wmsim import checkpoint, dream
from wmsim.control import Control
from wmsim.data import episodes
from wmsim.data.cache import Cache, open_cache
from wmsim.data.episodes import Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.dream import DreamWorld
from wmsim.dream.ears import Ears
from wmsim.env import WorldEnv
from wmsim.model.cache import RollingCache
from wmsim.model.events import EXTRA, EventInput, conditions, recent
from wmsim.model.world_model import WorldModel, stride
from wmsim.train import TrainConfig, train
from wmsim.train.adversary import Adversary, AdversaryConfig
from wmsim.train.decoder import DecoderStageConfig
from wmsim.train.drives import draw_drives
from wmsim.train.dynamics import DynamicsStage, DynamicsStageConfig
from wmsim.train.followers import FollowersConfig
from wmsim.train.latents import Latents, Untold, Wordings, counterparts
from wmsim.train.loop import Draw, LoopConfig
from wmsim.train.outcomes import OutcomeStageConfig
from wmsim.train.tokenizer import TokenizerStageConfig

WIDTH, FRAMES = 8, 5
CAPTIONS = {"dark": ["dark it is", "so dark"], "bright": ["bright it is", "so bright"]}
TOLD = replace(CONFIG, dynamics=replace(CONFIG.dynamics, events=WIDTH, event_frames=FRAMES))


class Words:
    """An embedding that knows two words and hears the others as a murmur."""

    width = WIDTH

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """One vector a text."""
        return np.stack([self._one(text.casefold()) for text in texts])

    def _one(self, text: str) -> np.ndarray:
        vector = 0.1 * np.random.default_rng(list(text.encode())).normal(size=WIDTH)
        vector[0] += 2.0 * ("dark" in text) - 2.0 * ("bright" in text)
        return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass(frozen=True)
class Meant:
    """What `Understands` answers."""

    event: str | None
    nearest: tuple[tuple[str, float], ...]


class Plain:
    """Understands the names of the events wherever they stand in a sentence."""

    def understand(self, text: str) -> Meant:
        """What a sentence means."""
        found = next((event for event in CAPTIONS if event in text), None)
        return Meant(found, (("dark", 0.4), ("bright", 0.3)))


def _ears() -> Ears:
    return Ears(CAPTIONS, Words(), Plain())


def _told_model(heard: bool = True) -> WorldModel:
    """The tiny model with an input for events, that hears them or, as at first, does not."""
    plain, model = tiny_model(), WorldModel(TOLD).eval()
    model.load_state_dict(model.state_dict() | plain.state_dict())
    if heard:
        torch.nn.init.normal_(model.dynamics.event.outward.weight)
    return model.requires_grad_(False)


def _world(model: WorldModel, slots: int = 2, steps: int = 2) -> DreamWorld:
    card = replace(CARD, captions=CAPTIONS) if model.config.dynamics.events else CARD
    return DreamWorld(model, card, tiny_starts(), slots, steps, ears=_ears())


def test_the_one_pass_after_a_telling_is_asked_for_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, taken = list[list[float]](), WorldModel._pass

    def watched(self: WorldModel, z: torch.Tensor, tau: Any, d: torch.Tensor, *given: Any) -> Any:
        if isinstance(tau, float) and tau == 0:
            sizes.append(d.tolist())
        return taken(self, z, tau, d, *given)

    monkeypatch.setattr(WorldModel, "_pass", watched)
    monkeypatch.setattr("wmsim.model.world_model._MEANS", 0)  # of a slot that is no longer young
    _films(_world(_told_model(), steps=1), (None, None), (None, "so dark"), *[(None, None)] * FRAMES)
    mean = 1 / CONFIG.dynamics.finest
    assert sizes[-FRAMES - 2 :] == [[1.0, 1.0], *[[1.0, mean]] * FRAMES, [1.0, 1.0]]


def test_a_frame_to_which_something_is_told_is_dreamt_in_more_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rng = _told_model(), torch.Generator().manual_seed(0)
    tokens, noise = torch.randn(2, 3, TOLD.dynamics.tokens, TOLD.dynamics.channels, generator=rng)
    action = torch.rand(3, TOLD.dynamics.actions + TOLD.dynamics.told, generator=rng)
    seen, taken = list[tuple[int, float, float]](), model._pass

    def watched(z: torch.Tensor, tau: Any, d: torch.Tensor, *given: Any) -> Any:
        if isinstance(tau, float):
            seen.append((len(z), float(d[0]), tau))
        return taken(z, tau, d, *given)

    def dreamt(passes: int, said: list[bool], steps: int = 1) -> list[torch.Tensor]:
        model.config = replace(TOLD, dynamics=replace(TOLD.dynamics, event_passes=passes))
        given = action.clone()
        given[:, TOLD.dynamics.actions :] *= torch.tensor(said)[:, None]
        given[:, -EXTRA] = torch.tensor(said).float()
        cache = RollingCache(TOLD.dynamics, 3, model.dtype, torch.device("cpu"))
        model.commit(tokens, noise, given, cache, [0, 1, 2])
        with monkeypatch.context() as patched:
            patched.setattr(model, "_pass", watched)
            return list(model.imagine(noise, given, cache, [0, 1, 2], steps))

    finest = 1 / TOLD.dynamics.finest
    once, often = dreamt(1, [False, True, False]), dreamt(4, [False, True, False])
    assert seen == [(3, finest, 0.0), (2, finest, 0.0), *[(1, finest, i / 4) for i in range(4)]]
    for one, other in zip(once, often, strict=True):
        torch.testing.assert_close(one[[0, 2]], other[[0, 2]])
    assert not torch.allclose(once[0][1], often[0][1])
    torch.testing.assert_close(once[2][1], often[2][1])  # features of the first pass, which both share
    torch.testing.assert_close(often[0][1], dreamt(4, [True, True, True])[0][1])
    seen.clear()
    dreamt(2, [False, True, False], steps=4)
    assert [count for count, _, _ in seen] == [2] * 4 + [1] * 4
    assert {size for count, size, _ in seen if count == 2} == {0.25}
    assert {size for count, size, _ in seen if count == 1} == {finest}


def test_an_event_is_told_to_every_token_and_in_its_time() -> None:
    torch.manual_seed(0)
    heard, told = EventInput(WIDTH, 6, tokens=3), torch.randn(4, WIDTH + EXTRA)
    told[:, -EXTRA:] = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.9], [0.0, 0.5]])
    told[:3, :WIDTH] = told[0, :WIDTH]
    assert heard(told).shape == (4, 3, 6)
    assert not heard(told).any(), "deaf at first"
    for layer in (heard.outward, heard.placed):
        torch.nn.init.normal_(layer.weight)
    added = heard(told)
    assert not added[3].any(), "nothing was told"
    for one, other in ((added[0], added[1]), (added[0], added[2]), (added[:3, 0], added[:3, 1])):
        assert (one - other).abs().max() > 0.01


def test_guidance_moves_a_frame_away_from_what_it_were_untold() -> None:
    model, rng = _told_model(), torch.Generator().manual_seed(0)
    tokens, noise = torch.randn(2, 2, TOLD.dynamics.tokens, TOLD.dynamics.channels, generator=rng)
    action = torch.rand(2, TOLD.dynamics.actions + TOLD.dynamics.told, generator=rng)
    action[:, -EXTRA] = torch.tensor([0.0, 1.0])

    def dreamt(guidance: float) -> torch.Tensor:
        model.config = replace(TOLD, dynamics=replace(TOLD.dynamics, guidance=guidance))
        cache = RollingCache(TOLD.dynamics, 2, model.dtype, torch.device("cpu"))
        model.commit(tokens, noise, action, cache, [0, 1])
        return model.imagine(noise, action, cache, [0, 1], 1)[0]

    without, learnt, guided = map(dreamt, (0.0, 1.0, 3.0))
    assert torch.equal(without[0], guided[0]), "nothing was told to the first slot"
    assert not torch.allclose(without[1], learnt[1])
    torch.testing.assert_close(guided[1], without[1] + 3 * (learnt[1] - without[1]))


def _wheel(rows: int, event: tuple[str | None, ...] | None = None) -> Control:
    return replace(Control.of_wheel(torch.tensor([[0.2, 0.5]] * rows)), event=event)


def _films(world: DreamWorld, *tellings: tuple[str | None, ...] | None) -> list[torch.Tensor]:
    world.reset([0, 1], [4, 5])
    return [world.step([0, 1], _wheel(2, told)).frames["front"][:, 0].clone() for told in tellings]


# --- the dream -----------------------------------------------------------------------------------------------------


def test_a_checkpoint_from_before_events_loads_and_dreams_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    checkpoint.save(path, tiny_model(), CARD, tiny_starts(), torch.float32)
    note = checkpoint.read_note(path)
    for part, names in (("dynamics", ("events", "event_frames", "guidance")), ("", ("captions",))):
        for name in names:
            (note["config"][part] if part else note["card"]).pop(name)
    _rewrite(path, note)
    old = dream.load(path, 2, steps=2)
    assert old.spec.events == ()
    quiet = (None,) * 6
    checkpoint.save(path, _told_model(), replace(CARD, captions=CAPTIONS), tiny_starts(), torch.float32)
    told = dream.load(path, 2, steps=2, ears=_ears())
    assert told.spec.events == tuple(CAPTIONS)
    assert all(torch.equal(a, b) for a, b in zip(_films(old, *quiet), _films(told, *quiet), strict=True))


def _rewrite(path: Path, note: dict[str, object]) -> None:
    import json

    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata={"wmsim": json.dumps(note)})


def test_what_is_told_changes_its_own_slot_from_its_own_frame() -> None:
    quiet, told = (None, None), (None, "so dark")
    plain = _films(_world(_told_model()), quiet, quiet, quiet)
    dark = _films(_world(_told_model()), quiet, told, quiet)
    assert torch.equal(plain[0], dark[0])
    assert torch.equal(plain[1][0], dark[1][0])
    assert not torch.equal(plain[1][1], dark[1][1])
    bright = _films(_world(_told_model()), quiet, (None, "so bright"), quiet)
    assert not torch.equal(bright[1][1], dark[1][1])


def test_a_new_input_for_events_changes_nothing_yet() -> None:
    told = [("dark", "bright"), None, None]
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            _films(_world(_told_model(False)), *told), _films(_world(tiny_model()), *[None] * 3), strict=True
        )
    )


def test_it_is_forgotten_in_time_and_the_next_one_takes_its_place() -> None:
    world = _world(_told_model())
    _films(world, ("dark", "dark"), *[None] * (FRAMES - 1))
    assert world._told[0, -1] == pytest.approx((FRAMES - 1) / FRAMES)
    world.step([0], _wheel(1))
    assert not world._told[0].any()
    assert world._told[1].any()
    world.step([1], _wheel(1, ("bright",)))
    assert world._told[1, -1] == 0
    assert np.allclose(world._told[1, :WIDTH], Words().embed(["bright"])[0])


def test_a_snapshot_carries_what_was_told() -> None:
    world = _world(_told_model())
    _films(world, ("so dark", None), None)
    kept = pickle.loads(pickle.dumps(world.snapshot([0])))
    first = [world.step([0], _wheel(1)).frames["front"].clone() for _ in range(6)]
    world.restore([1], kept)
    again = [world.step([1], _wheel(1)).frames["front"].clone() for _ in range(6)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_what_is_not_understood_is_said_with_the_nearest_events() -> None:
    world = _world(_told_model())
    world.reset([0, 1], [4, 5])
    with pytest.raises(ValueError, match=r"'a dragon' is not understood; nearest: dark \(0.40\), bright"):
        world.step([0], _wheel(1, ("a dragon",)))
    with pytest.raises(ValueError, match="as many events"):
        world.step([0], _wheel(1, (None, None)))
    deaf = _world(tiny_model())
    deaf.reset([0], [4])
    with pytest.raises(ValueError, match="takes no events"):
        deaf.step([0], _wheel(1, ("dark",)))
    env = WorldEnv("world", _world(_told_model(), 1))
    env.reset(seed=1)
    env.tell("it gets so dark here")
    env.step(np.zeros(2, np.float32))
    with pytest.raises(ValueError, match="not understood"):
        env.tell("a dragon")


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "wmsim.text.embed", None)
    with pytest.raises(ImportError, match=r"wmsim\[text\]"):
        Ears(CAPTIONS).vector("dark")


# --- what training sees --------------------------------------------------------------------------------------------


def test_the_last_event_of_the_episode_counts_while_it_is_recent() -> None:
    told = np.array([-1, 2, -1, -1, -1, 0, 1, -1, -1, -1], np.int32)
    first = np.array([0] * 8 + [8] * 2)
    caption, age = recent(told, first, 3)
    assert caption.tolist() == [-1, 2, 2, 2, -1, 0, 1, 1, -1, -1]
    assert age.tolist() == [0, 0, 1, 2, 0, 0, 0, 1, 0, 0]
    made = conditions(caption, age, Words().embed(["a", "b", "c"]), 3)
    assert made.shape == (10, WIDTH + 2)
    assert made[3, WIDTH:].tolist() == pytest.approx([1, 2 / 3])
    assert not made[4].any()


def test_events_are_told_by_name_or_in_other_words_for_a_whole_window() -> None:
    words = Wordings(np.eye(6, dtype=np.float32), np.array([0, 1, 0, 0, 0, 1]), FRAMES)  # the last two are names
    others = words.others(np.random.default_rng(0), 4000, 0.8)
    kept = (others < 0).all(1)
    assert (others[~kept] >= 0).all()
    assert kept.mean() == pytest.approx(0.2, abs=0.03)
    first, second = others[~kept].T
    assert (first == 4).mean() == pytest.approx(0.5, abs=0.03)
    assert set(first.tolist()) == {0, 2, 3, 4}
    assert set(second.tolist()) == {1, 5}
    alone = Wordings(words.embeddings[:3], np.array([0, 0, 1]), FRAMES)  # nothing was told of the second event
    assert set(alone.others(np.random.default_rng(0), 50, 1.0)[:, 1].tolist()) == {2}


SPEC = DatasetSpec(8.0, (16, 16), ("dx", "dy"), ("x_px", "y_px"), domain="wheel", events=tuple(CAPTIONS))


def _record(root: Path, count: int, length: int = 24, told: bool = True) -> Path:
    """Films of the square whose light goes out or on when it is told, or of the same with nothing told."""
    dataset = episodes.create(root, SPEC if told else replace(SPEC, events=()))
    for index in range(count):
        rng = np.random.default_rng(index)
        actions = np.repeat(rng.uniform(-1, 1, (length // 4, 2)), 4, 0).astype(np.float32)
        event, caption = [""] * length, [""] * length
        lights, light, frames = [1.0], 1.0, square_film(actions, tuple(rng.uniform(0, 16, 2)))
        for t in range(length):
            if rng.random() < 0.15:
                event[t] = list(CAPTIONS)[int(rng.integers(2))]
                caption[t] = CAPTIONS[event[t]][int(rng.integers(2))]
                light = 0.2 if told and event[t] == "dark" else 1.0
            lights.append(light)
        frames = (frames * np.array(lights)[:, None, None, None]).astype(np.uint8)
        proprio = np.concatenate([np.zeros((1, 2)), actions]).astype(np.float32)
        made = Episode(frames, actions, actions[:, 0].copy(), proprio, terminated=False)
        made = (
            replace(made, seed=index, event=tuple(event), caption=tuple(caption)) if told else replace(made, seed=index)
        )
        episodes.write(dataset, index, made)
    episodes.finalise(dataset)
    return root


def _config(data: Path, out: Path, tokenizer: int, steps: int, **changes: object) -> TrainConfig:
    plain = TrainConfig(
        data=str(data), out=str(out), model=TOLD, tokenizer=TokenizerStageConfig(32, 0.02),
        tokenizer_loop=LoopConfig(tokenizer, 3e-3, ema=0.99, save_every=1000),
        dynamics=DynamicsStageConfig(
            batch=16, frames=8, rollout=0.3, rollout_depth=3, drift=0.0, adversary_from=1.0,
            adversary=AdversaryConfig(pool=4, drawn=2, stirred=0, run=2, start=4),
            followers=FollowersConfig(before=4, frames=4),
        ),
        dynamics_loop=LoopConfig(steps, 3e-3, ema=0.99, save_every=1000),
        decoder=DecoderStageConfig(batch=8, frames=8, run=4), decoder_loop=LoopConfig(2, 1e-3),
        outcomes=OutcomeStageConfig(drives=4, frames=4, before=4), outcome_loop=LoopConfig(2, 1e-3),
        name="lamp", starts=4, start_frames=4, threads=1,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _record(tmp_path_factory.mktemp("lamp") / "data", 24)


def _heard(recording: Path) -> Latents:
    cache = open_cache(recording, progress=False)
    events = [event for _, event in cache.captions] + [0, 1]
    words = Wordings(np.eye(len(events), dtype=np.float32), np.array(events), FRAMES)
    return Latents(np.zeros((cache.frame_count, 1, 1, 1), np.float16), cache, words)


def test_a_drive_recorded_again_untold_counts_until_something_else_is_told(recording: Path, tmp_path: Path) -> None:
    cache = open_cache(recording, progress=False)
    again = open_cache(_record(tmp_path / "again", 20, told=False), progress=False)
    assert cache.told is not None
    row = counterparts(cache, again, FRAMES)
    for index, (first, last) in enumerate(_episodes(cache)):
        here = row[first : last + 1]
        if index >= 20:
            assert (here == -1).all()
            continue
        tellings = np.flatnonzero(cache.told[first : last + 1] >= 0)
        until = min([25, *(tellings[:1] + FRAMES), *tellings[1:2]])
        assert here.tolist() == [*range(first, first + until), *[-1] * (25 - until)]
        before = tellings[0] if len(tellings) else 25
        assert np.array_equal(cache.frames[first : first + before], again.frames[here[:before]])
    for other in (replace(again, episode_seed=again.episode_seed + 24), replace(again, action=again.action + 1)):
        with pytest.raises(ValueError, match="no drive was recorded again"):
            counterparts(cache, other, FRAMES)


def test_the_history_of_some_windows_is_that_in_which_nothing_was_told(recording: Path, tmp_path: Path) -> None:
    latents, shape = _heard(recording), (TOLD.tokenizer.grid[0], TOLD.tokenizer.grid[1], TOLD.tokenizer.channels)
    count = latents.cache.frame_count
    row = np.where(np.arange(count) % 3 == 0, np.arange(count), -1)
    night = np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float16)
    latents = replace(latents, latent=np.zeros((count, *shape), np.float16), untold=Untold(night, row))
    rows = np.stack([np.arange(0, 9, 3), np.arange(1, 10, 3)])
    batch = latents.batch(rows)
    assert latents.untold is not None
    assert latents.untold.at(rows)[1].tolist() == [True, False]
    model = WorldModel(replace(TOLD, dynamics=replace(TOLD.dynamics, events=len(latents.wordings.embeddings))))  # type: ignore[union-attr]
    clean = torch.zeros(2, 3, TOLD.dynamics.tokens, TOLD.dynamics.channels)
    for share in (0.0, 1.0):
        config = replace(_config(recording, tmp_path, 1, 1).dynamics, unheard=share)
        stage = DynamicsStage(model, latents, config, 1)
        untold, recorded = stage._untold(clean, batch)
        assert torch.equal(untold[0], model.to_tokens(torch.from_numpy(night[rows[0]])))
        assert torch.equal(untold[1], clean[1])
        assert stage._unheard(recorded, Draw.of(0, 0, 0)).flatten().tolist() == [share == 1, False]


@pytest.mark.parametrize("hidden", [0.0, 1.0])
def test_what_was_not_heard_did_not_come(hidden: float, recording: Path, tmp_path: Path) -> None:
    latents, shape = _heard(recording), (TOLD.tokenizer.grid[0], TOLD.tokenizer.grid[1], TOLD.tokenizer.channels)
    assert latents.wordings is not None
    count, rng = latents.cache.frame_count, np.random.default_rng(0)
    day, night, dusk = rng.normal(size=(3, count, *shape)).astype(np.float16)
    model = WorldModel(replace(TOLD, dynamics=replace(TOLD.dynamics, events=len(latents.wordings.embeddings))))
    config = replace(_config(recording, tmp_path, 1, 1).dynamics, untold=hidden, unheard=1.0, reworded=0.0)
    again = Untold(day, np.arange(count))
    flows = [
        DynamicsStage(model, replace(latents, latent=shown, untold=again), config, 1).losses(Draw.of(0, 0, 0))["flow"]
        for shown in (night, dusk)
    ]
    assert torch.equal(flows[0], flows[1]) == bool(hidden)


def test_a_single_pass_is_asked_for_the_mean_in_slots_that_are_young_or_were_told_something() -> None:
    counts, own = torch.tensor([0, 47, 48, 900]), torch.zeros(4, TOLD.dynamics.actions)
    finest, quiet = 1 / TOLD.dynamics.finest, torch.zeros(4, WIDTH + EXTRA)
    said = torch.cat([torch.randn(4, WIDTH), torch.ones(4, 1), torch.rand(4, 1)], -1)
    for condition, wanted in ((quiet, [finest, finest, 1.0, 1.0]), (said, [finest] * 4)):
        assert stride(counts, torch.cat([own, condition], -1), TOLD.dynamics).tolist() == wanted
    assert stride(counts, own, CONFIG.dynamics).tolist() == [finest, finest, 1.0, 1.0]


def test_what_a_telling_changed_counts_more_in_its_frame(recording: Path, tmp_path: Path) -> None:
    config = replace(_config(recording, tmp_path, 1, 1).dynamics, changed=3.0)
    stage = DynamicsStage(WorldModel(TOLD), _heard(recording), config, 1)
    channels = TOLD.dynamics.channels
    clean = torch.randn(1, 4, TOLD.dynamics.tokens, channels)
    untold = clean.clone()
    untold[0, 1] += 100  # night
    untold[0, 2, 0, : channels // 4] += 100  # a pedestrian, in one of the four cells of a token
    untold[0, 3, 0, : channels // 4] += 0.01  # what the tokenizer makes of him elsewhere
    counted = stage._counted(clean, untold)
    assert counted.shape == clean.shape
    assert torch.allclose(counted.mean((-1, -2)), torch.ones(1, 4))
    assert torch.allclose(counted[0, [0, 1]], torch.ones(2, 1, 1), atol=1e-3)
    seen = counted[0, 2, 0]
    assert torch.allclose(seen[0] / seen[-1], torch.tensor(4.0), rtol=1e-3)
    assert torch.equal(seen[: channels // 4], seen[0].expand(channels // 4))
    assert counted[0, 3].max() < 1.01


def test_a_training_reads_what_was_recorded_again(recording: Path, tmp_path: Path) -> None:
    again = _record(tmp_path / "again", 24, told=False)
    path = train(_config(recording, tmp_path / "out", 2, 2, untold=str(again)), Words())
    assert path.is_file()
    assert np.load(tmp_path / "out" / "untold.npy").shape[0] == 24 * 25


def test_windows_are_drawn_around_what_is_told(recording: Path) -> None:
    latents, frames = _heard(recording), 8
    told = latents.cache.told
    assert told is not None
    spans = _episodes(latents.cache)
    able = [last for first, last in spans if (told[first + 2 : last + 1] >= 0).any()]
    shares = []
    for tellings in (0.0, 1.0):
        rows = latents.sample(Draw.of(0, 0, 0), 256, frames, 0.0, 0.0, tellings).rows
        lasts = np.array([next(last for _, last in spans if row <= last) for row in rows[:, -1]])
        shares.append((told[rows[np.isin(lasts, able), 2:]] >= 0).any(1).mean())
    assert shares[0] < 0.9
    assert shares[1] == 1.0


def test_windows_begin_later_where_it_is_known_what_was_there_untold(recording: Path, tmp_path: Path) -> None:
    latents, frames = _heard(recording), 4
    told, cache = latents.cache.told, latents.cache
    assert told is not None
    again = open_cache(_record(tmp_path / "again", 24, told=False), tmp_path / "frames")
    row = counterparts(cache, again, FRAMES)
    known = replace(latents, untold=Untold(np.zeros((again.frame_count, 1, 1, 1), np.float16), row))
    late = []
    for each in (latents, known):
        rows = each.sample(Draw.of(0, 0, 0), 512, frames, 0.0, 0.0, 1.0).rows[:, 1:]
        afterwards = (told[rows] < 0).all(1) & (each.recent[0][rows] >= 0).all(1)
        late.append(float(afterwards.mean()))
        if each is known:
            assert (row[rows[afterwards]] >= 0).all()
    assert late[0] == 0
    assert late[1] > 0.1


def test_ends_are_counted_where_windows_are_drawn_around_what_is_told(recording: Path) -> None:
    latents, frames = _heard(recording), 8
    ended = np.zeros(latents.cache.frame_count, bool)
    ended[[last for _, last in _episodes(latents.cache)][::2]] = True
    latents = replace(latents, cache=replace(latents.cache, terminated=ended))
    usual = np.log(ended.mean() / (1 - ended.mean()))
    for tellings in (0.0, 1.0):
        drawn = [latents.sample(Draw.of(0, i, 0), 64, frames, 0.1, 0.0, tellings).end[:, 1:] for i in range(100)]
        share = float(torch.cat(drawn).float().mean())
        odds = float(np.log(share / (1 - share)))
        assert latents.end_odds(frames, 0.1, tellings) == pytest.approx(odds - usual, abs=0.1)


def _episodes(cache: Cache) -> list[tuple[int, int]]:
    """The first and the last row of each episode."""
    return [(int(s), int(s + n - 1)) for s, n in zip(cache.episode_start, cache.episode_length, strict=True)]


def test_a_window_hears_the_other_words(recording: Path) -> None:
    latents = _heard(recording)
    of = torch.tensor(latents.wordings.events)  # type: ignore[union-attr]
    plain, named = (latents.sample(Draw.of(0, 0, 0), 64, 8, 0.0, share).told for share in (0.0, 1.0))
    said = plain[..., -2] > 0
    assert said.any()
    assert torch.equal(plain[..., -2:], named[..., -2:])  # that something is told, and for how long, stays
    assert torch.equal(of[plain[said][:, :-2].argmax(-1)], of[named[said][:, :-2].argmax(-1)])
    assert not torch.equal(plain, named)
    numbers = named[..., :-2].argmax(-1)
    for window, told in zip(numbers, said, strict=True):
        for event in (0, 1):
            here = window[told & (of[window] == event)]
            assert len(here.unique()) <= 1, "one wording of an event in a window"


def test_the_pool_dreams_on_under_what_it_is_told(recording: Path) -> None:
    latents = _heard(recording)
    words = latents.wordings
    assert words is not None
    latents = replace(latents, latent=np.zeros((latents.cache.frame_count, 4, 4, 4), np.float16))
    width = words.embeddings.shape[1]
    model = WorldModel(replace(TOLD, dynamics=replace(TOLD.dynamics, events=width)))
    config = AdversaryConfig(pool=4, drawn=4, stirred=0, run=2, start=4, leave=0.0, tell=1.0)
    shouted, quiet = Adversary(model, latents, config), Adversary(model, latents, replace(config, tell=0.0))
    sizes = (TOLD.dynamics.tokens, TOLD.dynamics.channels), (TOLD.dynamics.actions + width + 2,)
    given, frame = [torch.zeros(3, 8, *size) for size in sizes], 1 / FRAMES
    linked, features = torch.ones(3, 8, dtype=torch.bool), torch.randn(3, 8, 2 * TOLD.dynamics.dim)
    for adversary in (shouted, quiet):
        adversary(*given, linked, features, Draw.of(0, 0, 0))
    assert torch.equal(shouted.event[:, -2:], torch.tensor([[1.0, 0.0]]).expand(4, 2))
    events = words.events[shouted.event[:, :-2].argmax(-1)]
    assert set(events.tolist()) == {0, 1}
    quiet.event[:] = shouted.event
    quiet(*given, linked, features, Draw.of(0, 1, 0))
    assert torch.allclose(quiet.event[:, -1], torch.tensor(2 * frame))
    assert torch.equal(quiet.event[:, :-2], shouted.event[:, :-2])
    for step in range(2, 2 + FRAMES):
        quiet(*given, linked, features, Draw.of(0, step, 0))
    assert not quiet.event.any()


def test_followers_follow_what_was_told(recording: Path) -> None:
    cache = _heard(recording).cache
    told = cache.told
    assert told is not None
    shares = []
    for tellings in (0.0, 1.0):
        rows = draw_drives(cache, 400, 4, 4, 0.0, 0, tellings).rows
        shares.append((told[rows[:, 4:6]] >= 0).any(1).mean())
    assert shares[0] < 0.5
    assert shares[1] == 1.0


def test_a_dream_learns_events_and_obeys_words_it_never_heard(recording: Path, tmp_path: Path) -> None:
    path = train(_config(recording, tmp_path, 150, 300), Words())
    world = dream.load(path, 8, steps=1, ears=_ears())
    assert world.spec.events == ("dark", "bright")
    assert {text for ways in CAPTIONS.values() for text in ways} >= set(world.card.captions["dark"])
    light = {}
    for text in ("how dark the night", "oh bright day"):
        world.reset(range(8), range(8))
        shown = [world.step(range(8), _wheel(8, (text,) * 8 if t == 0 else None)) for t in range(5)]
        light[text[:6]] = float(shown[-1].frames["front"].float().mean())
    assert light["how da"] < 0.7 * light["oh bri"], light


def test_a_checkpoint_without_events_grows_into_one_with_them(recording: Path, tmp_path: Path) -> None:
    deaf = train(_config(recording, tmp_path / "deaf", 2, 2, model=CONFIG))
    assert dream.load(deaf).spec.events == ()
    before, noted, starts = checkpoint.load(deaf)
    before.latent_mean += 0.25  # of other data: what it begins from keeps its scales, which its weights are used to
    deaf = tmp_path / "moved.safetensors"
    checkpoint.save(deaf, before, noted, starts)
    grown = train(_config(recording, tmp_path / "grown", 0, 2, init=str(deaf)), Words())
    after, card, _ = checkpoint.load(grown)
    assert after.config == TOLD
    assert torch.equal(before.tokenizer.embed.weight, after.tokenizer.embed.weight)
    assert torch.equal(before.latent_mean, after.latent_mean)
    assert list(card.captions) == ["dark", "bright"]
    with pytest.raises(ValueError, match="has sizes"):
        train(_config(recording, tmp_path / "back", 0, 2, init=str(grown), model=CONFIG))


def test_events_that_do_not_fit_are_told(recording: Path, tmp_path: Path) -> None:
    cache = open_cache(recording, progress=False)
    assert cache.spec.events == tuple(CAPTIONS)
    wide = replace(TOLD, dynamics=replace(TOLD.dynamics, events=9))
    with pytest.raises(ValueError, match="events=9, the embedding is 8 wide"):
        train(_config(recording, tmp_path, 1, 1, model=wide), Words())
