"""Events in recordings: told at random, written with their words, read back, cached; and told through environments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pyarrow.parquet as pq
import pytest

import wmsim  # noqa: F401
from tests.data_worlds import walker
from tests.play_sessions import Eventful
from wmsim.data import lerobot
from wmsim.data.cache import open_cache
from wmsim.data.episodes import Dataset
from wmsim.data.record import RecordConfig, record
from wmsim.data.telling import Teller, TellingConfig, captions_of
from wmsim.data.windows import Windows
from wmsim.env import WorldEnv, WorldVectorEnv
from wmsim.sims.drive import EVENTS, DriveWorld

CAPTIONS = {"night": ("night falls", "it gets dark"), "fog": ("thick fog",), "a car cuts in": ("someone cuts in",)}


def _config(out: Path, **changes: Any) -> RecordConfig:
    plain = RecordConfig(
        "wmsim/Drive-v0", out, episodes=2, policy="driver", max_steps=60, progress=False,
        kwargs={"world": "sim", "size": 8, "info": ("state", "events")}, events=TellingConfig(CAPTIONS, 1.6),
    )  # fmt: skip
    return replace(plain, **changes)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(record(_config(tmp_path_factory.mktemp("told"))).root)


def test_what_was_told_is_written_with_its_words_and_read_back(recorded: Dataset) -> None:
    told = set()
    for index in recorded.indices():
        episode = recorded.read(index)
        assert episode.event is not None
        assert episode.caption is not None
        assert len(episode.event) == len(episode.caption) == len(episode) - 1
        pairs = set(zip(episode.event, episode.caption, strict=True))
        assert all(caption in CAPTIONS[event] for event, caption in pairs if event)
        assert ("", "") in pairs
        told |= pairs - {("", "")}
    assert len(told) >= 2


def test_other_readers_find_a_text_column_and_its_numbers(recorded: Dataset) -> None:
    features = lerobot.features_of(recorded.spec)
    assert features["event"] == {"dtype": "string", "shape": [1], "names": None}
    assert features["event_index"]["info"]["events"] == list(CAPTIONS)
    table = pq.read_table(recorded.files(0)[0])
    assert str(table.schema.field("event").type) == "string"
    told = [row for row in zip(table["event"].to_pylist(), table["event_index"].to_pylist(), strict=True) if row[0]]
    assert told
    assert all(text in CAPTIONS[list(CAPTIONS)[number]] for text, number in told)
    assert table["event_index"].to_pylist()[-1] == -1


def test_the_cache_has_them_where_they_arrive(recorded: Dataset) -> None:
    cache = open_cache(recorded.root, progress=False)
    assert cache.told is not None
    assert cache.spec.events == tuple(CAPTIONS)
    for episode in range(cache.episodes):
        told, columns = cache.told[cache.episode(episode)], recorded.columns(episode)
        arrived = ["" if row < 0 else cache.captions[row][0] for row in told]
        assert arrived == ["", *map(str, columns["event"][:-1])]
        assert all(
            cache.captions[r][1] == n for r, n in zip(told[1:], columns["event_index"][:-1], strict=True) if r >= 0
        )
    batch = Windows(cache, 8).batch([0, 3])
    assert batch.told is not None
    assert np.array_equal(batch.told[1], cache.told[3:11])


def test_a_recording_without_events_has_no_trace_of_them(tmp_path: Path) -> None:
    done = record(_config(tmp_path, episodes=1, max_steps=4, events=None))
    dataset = Dataset(done.root)
    assert "event" not in dataset.columns(0)
    assert dataset.read(0).event is None
    cache = open_cache(dataset.root, progress=False)
    assert cache.told is None
    assert Windows(cache, 4).window(0).told is None


@pytest.mark.parametrize("order", [1, -1])
def test_recordings_with_and_without_events_are_read_as_one(recorded: Dataset, tmp_path: Path, order: int) -> None:
    quiet = record(_config(tmp_path / "quiet", episodes=1, max_steps=8, events=None)).root
    both = open_cache([quiet, recorded.root][::order], tmp_path / "cache", progress=False)
    alone = open_cache(recorded.root, progress=False)
    assert (both.spec.events, both.captions) == (alone.spec.events, alone.captions)
    told = [both.told[both.episode(e)].tolist() for e in range(3)][::order]  # type: ignore[index]
    heard = [alone.told[alone.episode(e)].tolist() for e in range(2)][::order]  # type: ignore[index]
    assert told == [[-1] * 9, *heard]


def test_recordings_of_other_events_are_read_as_one(recorded: Dataset, tmp_path: Path) -> None:
    others = TellingConfig({"rain": ("it rains",), "night": ("night falls",)}, 1.6)
    wet = Dataset(record(_config(tmp_path / "wet", episodes=1, max_steps=60, events=others)).root)
    both = open_cache([recorded.root, wet.root], progress=False)
    assert both.spec.events == (*CAPTIONS, "rain")
    assert both.told is not None
    assert (both.told[both.episode(2)] >= 0).any()
    for episode, dataset in ((0, recorded), (1, recorded), (2, wet)):
        columns = dataset.columns(0 if dataset is wet else episode)
        named = [dataset.spec.events[e] if e >= 0 else "" for e in columns["event_index"][:-1]]
        arrived = [both.captions[row] if row >= 0 else ("", -1) for row in both.told[both.episode(episode)][1:]]
        assert [text for text, _ in arrived] == list(map(str, columns["event"][:-1]))
        assert [both.spec.events[event] if event >= 0 else "" for _, event in arrived] == named


def test_tellings_follow_from_the_seed_and_keep_their_distance() -> None:
    def tellings(seed: int) -> list[tuple[int, tuple[str, str]]]:
        teller = Teller(TellingConfig(CAPTIONS, 3.0), 16.0, seed)
        return [(t, told) for t in range(2000) if (told := teller.next())]

    first = tellings(3)
    assert first == tellings(3)
    assert first != tellings(4)
    gaps = np.diff([t for t, _ in first])
    assert gaps.min() >= 24
    assert 36 < gaps.mean() < 64
    assert {caption for _, (_, caption) in first} == {text for ways in CAPTIONS.values() for text in ways}


def test_wrong_captions_and_deaf_environments_are_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fog"):
        TellingConfig({"night": ("dark",), "fog": ()})
    with pytest.raises(ValueError, match=r"1\.5 s apart"):
        TellingConfig(CAPTIONS, 1.0)
    with pytest.raises(ValueError, match="no event 'snow'"):
        record(_config(tmp_path, events=TellingConfig({"snow": ("it snows",)})))
    with pytest.raises(ValueError, match="it takes none"):
        record(_config(tmp_path, env=walker, policy="random", kwargs={}))
    with pytest.raises(ValueError, match="module:MAPPING"):
        captions_of("wmsim.sims.drive:NOTHING")
    assert captions_of(f"{__name__}:CAPTIONS") is CAPTIONS


# --- telling through environments ----------------------------------------------------------------------------------


def test_an_event_told_to_an_environment_reaches_its_next_step_alone() -> None:
    env = gym.make("wmsim/Drive-v0", world="sim", size=8, info=("events",)).unwrapped
    assert isinstance(env, WorldEnv)
    env.reset(seed=3)
    env.tell("  Night ")
    shares = [env.step(np.zeros(2, np.float32))[4]["events"][EVENTS.index("night")] for _ in range(16)]
    assert shares[0] > 0
    assert shares[-1] == 1
    env.reset()
    assert env.step(np.zeros(2, np.float32))[4]["events"][EVENTS.index("night")] == 0


def test_events_go_to_the_slots_that_are_named() -> None:
    env = WorldVectorEnv(3, "drive", "sim", size=8, info=("events",))
    env.reset(seed=3)
    env.tell("fog", [1])
    *_, infos = env.step(np.zeros((3, 2), np.float32))
    assert (infos["events"][:, EVENTS.index("fog")] > 0).tolist() == [False, True, False]
    env.tell("fog")
    *_, infos = env.step(np.zeros((3, 2), np.float32))
    assert (infos["events"][:, EVENTS.index("fog")] > 0).all()
    env.close()


def test_what_a_world_does_not_take_is_told_at_once() -> None:
    env = WorldEnv("drive", DriveWorld(1, 8))
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"no event 'snow'.*night, dusk"):
        env.tell("snow")
    deaf = WorldEnv("toy", "sim")
    deaf.reset(seed=1)
    with pytest.raises(ValueError, match="takes no events"):
        deaf.tell("night")


def test_a_world_of_free_text_gets_the_text() -> None:
    world = Eventful(1, None)
    env = WorldEnv("toy", world)
    env.reset(seed=1)
    env.tell("the sea rises")
    env.step(np.zeros(2, np.float32))
    env.step(np.zeros(2, np.float32))
    assert world.heard == ["the sea rises"]
