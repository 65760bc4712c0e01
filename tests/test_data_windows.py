"""The cache and its windows: arrival convention, views instead of copies, the same draw for the same seed."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest

from wmsim.data import cache as caching
from wmsim.data import episodes
from wmsim.data.cache import Cache, fingerprint, open_cache
from wmsim.data.episodes import Dataset, Episode
from wmsim.data.lerobot import DatasetSpec
from wmsim.data.windows import Windows

LENGTHS = (10, 4, 7)
"""Frames of the episodes of `a_dataset`; frame t of episode e is all 20 e + t."""


def a_dataset(root: Path, lengths: tuple[int, ...] = LENGTHS, known: bool = True) -> Dataset:
    spec = DatasetSpec(16.0, (8, 12), ("a",), ("speed",) if known else (), reward=known, termination=known)
    dataset = episodes.create(root, spec)
    for index, length in enumerate(lengths):
        value = 20 * index + np.arange(length)
        frames = np.broadcast_to(value.astype(np.uint8)[:, None, None, None], (length, 8, 12, 3))
        numbers = value.astype(np.float32)
        told = {"reward": numbers[1:] + 0.5, "proprio": numbers[:, None], "terminated": index != 1} if known else {}
        episode = Episode(frames, numbers[:-1, None] + 0.25, truncated=index == 1, seed=100 + index, **told)
        episodes.write(dataset, index, episode)
    return dataset


def a_cache(root: Path) -> Cache:
    a_dataset(root)
    return open_cache(root, progress=False)


def test_rows_tell_what_led_into_a_frame_and_what_arrived_with_it(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    assert cache.episode_start.tolist() == [0, 10, 14]
    assert cache.episode_length.tolist() == list(LENGTHS)
    assert cache.episode_seed.tolist() == [100, 101, 102]
    assert (cache.frame_count, cache.episodes, cache.frames.shape) == (21, 3, (21, 8, 12, 3))
    assert cache.reward is not None
    assert cache.terminated is not None
    for index in range(3):
        rows = cache.episode(index)
        value = 20 * index + np.arange(LENGTHS[index])
        np.testing.assert_array_equal(cache.frames[rows][:, 3, 5, 1], value)
        np.testing.assert_array_equal(cache.proprio[rows, 0], value)
        np.testing.assert_array_equal(cache.action[rows, 0], [0, *(value[:-1] + 0.25)])
        np.testing.assert_array_equal(cache.reward[rows], [0, *(value[1:] + 0.5)])
        assert cache.terminated[rows].tolist() == [False] * (len(value) - 1) + [index != 1]


def test_windows_are_views_of_the_files(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    window = Windows(cache, 3).window(4)
    for name in ("frames", "action", "reward", "terminated", "proprio"):
        assert np.shares_memory(getattr(window, name), getattr(cache, name)), name
    assert isinstance(cache.frames, np.memmap)
    assert not window.frames.flags.writeable


def test_every_window_lies_inside_an_episode(tmp_path: Path) -> None:
    windows = Windows(a_cache(tmp_path), 5)
    seen = [windows.window(i).frames[:, 0, 0, 0].astype(int).tolist() for i in range(len(windows))]
    assert seen == [[20 * e + o + t for t in range(5)] for e, count in ((0, 6), (2, 3)) for o in range(count)]
    assert windows.skipped == 1
    assert [bool(windows.window(i).is_start[0]) for i in range(9)] == [i in (0, 6) for i in range(9)]
    assert not windows.batch(range(9)).is_start[:, 1:].any()
    with pytest.raises(IndexError, match="window 9 of 9"):
        windows.window(9)


def test_a_draw_is_decided_by_its_generator(tmp_path: Path) -> None:
    windows = Windows(a_cache(tmp_path), 4)
    one, same, other = (windows.sample(np.random.default_rng(seed), 16) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.frames, same.frames)
    assert not np.array_equal(one.frames, other.frames)
    assert one.frames.shape == (16, 4, 8, 12, 3)
    assert one.reward is not None
    assert (one.action.shape, one.reward.shape, one.proprio.shape) == ((16, 4, 1), (16, 4), (16, 4, 1))
    np.testing.assert_array_equal(one.frames[..., 0, 0, 0], one.proprio[..., 0])


def test_draws_are_even_and_ends_can_be_asked_for(tmp_path: Path) -> None:
    windows = Windows(a_cache(tmp_path), 4)
    first = windows.sample(np.random.default_rng(0), 6000).frames[:, 0, 0, 0, 0]
    counts = np.unique(first, return_counts=True)[1]
    assert len(counts) == len(windows) == 12
    assert counts.min() > 400
    ends = windows.sample(np.random.default_rng(0), 300, ends=1.0)
    assert set(ends.frames[:, -1, 0, 0, 0].tolist()) == {9, 23, 46}
    half = windows.sample(np.random.default_rng(0), 4000, ends=0.5)
    assert half.terminated is not None
    assert half.terminated.any(1).mean() == pytest.approx(0.5 * 2 / 3 + 0.5 * 2 / 12, abs=0.03)


def test_what_is_not_known_is_none(tmp_path: Path) -> None:
    a_dataset(tmp_path, known=False)
    cache = open_cache(tmp_path, progress=False)
    assert (cache.reward, cache.terminated, cache.proprio.shape) == (None, None, (21, 0))
    with pytest.raises(ValueError, match="none of the episodes is best: take all, a share of 1"):
        cache.best(0.5)
    batch = Windows(cache, 3).sample(np.random.default_rng(0), 2)
    assert (batch.reward, batch.terminated, batch.proprio.shape) == (None, None, (2, 3, 0))


def test_splits_are_disjoint_whole_episodes(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    train, test = cache.split(0.34, seed=3)
    assert (train.episodes, test.episodes) == (2, 1)
    assert sorted([*train.episode_start, *test.episode_start]) == cache.episode_start.tolist()
    assert cache.split(0.34, seed=3)[1].episode_start == test.episode_start
    assert {int(cache.split(0.34, seed=s)[1].episode_start[0]) for s in range(9)} == {0, 10, 14}
    assert cache.split(0.34, seed=None)[1].episode_start.tolist() == [14]
    assert np.shares_memory(train.frames, cache.frames)
    first = {int(w) for w in Windows(cache.select([2]), 5).batch(range(3)).frames[:, 0, 0, 0, 0]}
    assert first == {40, 41, 42}
    for share in (0.0, 1.0):
        with pytest.raises(ValueError, match=r"a share in 0 \.\. 1 and 2 episodes"):
            cache.split(share)


def test_windows_that_fit_nowhere_are_refused(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    with pytest.raises(ValueError, match="no episode has 11 frames, the longest has 10"):
        Windows(cache, 11)
    with pytest.raises(ValueError, match="at least 1 frame, got 0"):
        Windows(cache, 0)


def test_a_cache_is_built_once_and_again_when_the_dataset_changes(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path)
    open_cache(tmp_path, progress=False)
    made = (tmp_path / "cache" / fingerprint(dataset) / "frames.npy").stat()
    open_cache(tmp_path, progress=False)
    assert (tmp_path / "cache" / fingerprint(dataset) / "frames.npy").stat() == made
    episodes.write(dataset, 3, dataset.read(0))
    assert open_cache(tmp_path, progress=False).frame_count == 31
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [fingerprint(dataset)]


def test_nothing_but_old_caches_is_removed(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "set")
    mine = tmp_path / "mine" / "0123456789abcdef"
    mine.mkdir(parents=True)
    open_cache(tmp_path / "set", tmp_path / "mine", progress=False)
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == sorted([mine.name, fingerprint(dataset)])


def test_several_datasets_are_read_as_one(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("calm", "wild")]
    for root, lengths in zip(roots, ((10, 4), (7,)), strict=True):
        a_dataset(root, lengths)
    both, alone = open_cache(roots, progress=False), open_cache([roots[1]], progress=False)
    assert (both.episodes, both.episode_start.tolist(), alone.episodes) == (3, [0, 10, 14], 1)
    assert both.action[both.episode(2)].tolist() == alone.action.tolist()
    assert both.frames[both.episode(2), 0, 0, 0].tolist() == list(range(7))
    assert open_cache(roots[0], progress=False).frame_count == 14, "that of one lies where it did"
    episodes.write(Dataset(roots[1]), 1, Dataset(roots[0]).read(0))
    assert open_cache(roots, progress=False).frame_count == 31
    assert len(list((roots[0] / "cache" / "joined").iterdir())) == 1


def test_datasets_that_do_not_hold_the_same_are_not_joined(tmp_path: Path) -> None:
    a_dataset(tmp_path / "one")
    a_dataset(tmp_path / "other", known=False)
    with pytest.raises(ValueError, match=r"proprio is \('speed',\) in .*one and \(\) in .*other"):
        open_cache([tmp_path / "one", tmp_path / "other"], progress=False)
    episodes.create(tmp_path / "new", Dataset(tmp_path / "one").spec)
    with pytest.raises(ValueError, match=r"new has no episode yet"):
        open_cache([tmp_path / "one", tmp_path / "new"], progress=False)
    with pytest.raises(ValueError, match="no dataset to open"):
        open_cache([])


def test_a_damaged_episode_is_named_and_leaves_no_half_cache(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path)
    video = dataset.files(1)[1]
    video.write_bytes(video.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"file-001\.mp4 is truncated or damaged"):
        open_cache(tmp_path, progress=False)
    assert not list((tmp_path / "cache").iterdir())
    assert episodes.repair(dataset) == [1]
    assert open_cache(tmp_path, progress=False).episodes == 2


def test_an_empty_dataset_says_so(tmp_path: Path) -> None:
    episodes.create(tmp_path, DatasetSpec(16.0, (8, 12), ("a",)))
    with pytest.raises(ValueError, match="has no episode yet"):
        open_cache(tmp_path)


def test_a_full_disk_is_told_before_anything_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_dataset(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"cannot build the cache .*: No space left on device"):
        open_cache(tmp_path, progress=False)
    assert not list((tmp_path / "cache").iterdir())


def test_opening_does_not_depend_on_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_cache(tmp_path)
    monkeypatch.setattr(caching, "_build", None)
    before = time.perf_counter()
    open_cache(tmp_path)
    assert time.perf_counter() - before < 0.5
