"""What one dream is worth beside what truly followed: pixels by horizon and kind, obedience, reward and end.

Shape legend: C clips, H frames after the context, K kinds of pixel, N horizons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.clips import Clips
from eval.rollout import Rollout
from wmsim.metrics import (
    MOVING,
    NEW,
    STATIC,
    Interval,
    Probe,
    auroc,
    bootstrap,
    bootstrap_mean,
    pearson,
    psnr,
    ssim_map,
    ssim_mean,
)

Array = np.ndarray[Any, Any]
KINDS = {"all": None, "static": STATIC, "moving": MOVING, "new": NEW}
"""Kind of pixel -> its class in `Clips.classes`."""


@dataclass(frozen=True)
class Pixels:
    """psnr in dB and ssim, each (K, N, C); nan where the clip had ended or shows too few pixels of the kind."""

    psnr: Array
    ssim: Array

    def interval(self, kind: int, horizon: int, towns: Array, metric: str = "psnr") -> Interval:
        """The mean over clips, with its interval over towns."""
        return bootstrap_mean(getattr(self, metric)[kind, horizon], towns)


def pixels(frames: Array, clips: Clips, horizons: Sequence[int]) -> Pixels:
    """PSNR and SSIM of (C, H, h, w, 3) frames at `horizons` (1 is the first frame after the context)."""
    scores = np.full((2, len(KINDS), len(horizons), len(clips)), np.nan)
    for n, horizon in enumerate(horizons):
        there = np.flatnonzero(clips.valid[:, horizon - 1])
        shown, truth = frames[there, horizon - 1], clips.future[there, horizon - 1]
        similarity = ssim_map(shown, truth)
        for k, kind in enumerate(KINDS.values()):
            mask = _mask(clips, kind, there, horizon)
            if kind is None or mask is not None:
                scores[:, k, n, there] = psnr(shown, truth, mask), ssim_mean(similarity, mask)
    return Pixels(scores[0], scores[1])


def _mask(clips: Clips, kind: int | None, rows: Array, horizon: int) -> Array | None:
    if kind is None or clips.classes is None:
        return None
    return np.asarray(clips.classes[rows, horizon - 1] == kind)


# --- obedience -----------------------------------------------------------------------------------------------------


def pairs_of(frames: Array, gap: int) -> Array:
    """(C, H, h, w, 3) frames as the samples of a probe, (C, H - gap, 2, h, w, 3): frame t and frame t + gap."""
    return np.stack([frames[:, :-gap], frames[:, gap:]], 2)


def targets_of(action: Array, proprio: Array | None, gap: int, yaw_rate: int | None) -> Array:
    """(C, T, D) actions into frames 0 .. T - 1, (C, T, P) proprio -> (C, T - gap, 1 or 2): steering, yaw rate.

    The steering that led from frame t to t + gap, averaged; the yaw rate averaged over frames t + 1 .. t + gap.
    """
    parts = [_running_mean(action[..., 0], gap)]
    if proprio is not None and yaw_rate is not None:
        parts.append(_running_mean(proprio[..., yaw_rate], gap))
    return np.stack(parts, -1).astype(np.float32)


def _running_mean(series: Array, gap: int) -> Array:
    return np.asarray(np.lib.stride_tricks.sliding_window_view(series[:, 1:], gap, axis=1).mean(-1))


def obedience(probe: Probe, frames: Array, clips: Clips, gap: int, yaw_rate: int | None, upto: int) -> dict[str, Any]:
    """How well the probe reads the controls back from dreamt and from real frames 1 .. `upto`, and the ratio.

    Returns for "steer" (and "yaw_rate") the intervals "dreamt", "real" and "ratio" of Pearson correlations.
    """
    into = clips.action[:, clips.context - 1 :][:, :upto]
    after = None if clips.proprio is None else clips.proprio[:, clips.context :][:, :upto]
    truth = targets_of(into, after, gap, yaw_rate)
    read = {name: _read(probe, film[:, :upto], gap) for name, film in (("dreamt", frames), ("real", clips.future))}
    inside = np.broadcast_to(clips.valid[:, gap:upto], truth.shape[:2])
    town = np.broadcast_to(clips.town[:, None], inside.shape)[inside]
    return {
        name: _correlations(read["dreamt"][inside][:, i], read["real"][inside][:, i], truth[inside][:, i], town)
        for i, name in enumerate(("steer", "yaw_rate")[: truth.shape[-1]])
    }


def _read(probe: Probe, frames: Array, gap: int) -> Array:
    samples = pairs_of(frames, gap)
    return probe.read(samples.reshape(-1, *samples.shape[2:])).reshape(*samples.shape[:2], -1)


def _correlations(dreamt: Array, real: Array, truth: Array, town: Array) -> dict[str, Interval]:
    return {
        "dreamt": bootstrap(lambda rows: pearson(dreamt[rows], truth[rows]), town),
        "real": bootstrap(lambda rows: pearson(real[rows], truth[rows]), town),
        "ratio": bootstrap(lambda rows: _ratio(dreamt[rows], real[rows], truth[rows]), town),
    }


def _ratio(dreamt: Array, real: Array, truth: Array) -> float:
    return pearson(dreamt, truth) / pearson(real, truth)


# --- reward and end ------------------------------------------------------------------------------------------------


def reward_scores(rollout: Rollout, clips: Clips) -> dict[str, Interval]:
    """Correlation of predicted and true reward over all frames of the clips: summed over each clip, and frame by frame.

    Empty when either side has no reward. "alive" leaves out the frame that ended the episode.
    """
    if rollout.reward is None or clips.reward is None:
        return {}
    said, true, valid = rollout.reward, clips.reward, clips.valid
    alive = valid if clips.ended is None else valid & ~clips.ended
    return {
        "summed": _paired((said * valid).sum(1), (true * valid).sum(1), clips.town),
        "per frame": _frames(said, true, valid, clips.town),
        "per frame, alive": _frames(said, true, alive, clips.town),
    }


def end_scores(rollout: Rollout, clips: Clips) -> dict[str, Interval]:
    """AUROC of the predicted end, frame by frame, and over whole clips (the highest score against "it ended").

    Empty when either side has no end.
    """
    if rollout.end is None or clips.ended is None:
        return {}
    valid = clips.valid
    said, true, town = rollout.end[valid], clips.ended[valid], np.broadcast_to(clips.town[:, None], valid.shape)[valid]
    highest, ended = np.where(valid, rollout.end, -np.inf).max(1), np.asarray(clips.ended.any(1))
    return {
        "per frame": bootstrap(lambda rows: auroc(said[rows], true[rows]), town),
        "per clip": bootstrap(lambda rows: auroc(highest[rows], ended[rows]), clips.town),
    }


# --- uncertainty ---------------------------------------------------------------------------------------------------


def doubt_scores(rollout: Rollout, clips: Clips, worst: float = 0.1) -> dict[str, Interval]:
    """How well the uncertainty tells the `worst` share of frames from the others (AUROC), and what of it is usual.

    "state error": by the distance of the proprioception told from the true one, each part divided by its spread;
    "pixel error": by the mean squared error of the frame. "usual, q99": the quantile of what is said of first frames,
    whose past is real. Empty when the world tells no uncertainty.
    """
    if rollout.uncertainty is None:
        return {}
    said, valid = rollout.uncertainty, clips.valid
    wrong = {"pixel error": ((rollout.frames / 255.0 - clips.future / 255.0) ** 2).mean((2, 3, 4))}
    if rollout.proprio is not None and clips.proprio is not None:
        true = clips.proprio[:, clips.context :][:, : said.shape[1]]
        away = (rollout.proprio - true) / np.maximum(true[valid].std(0), 1e-6)
        wrong["state error"] = np.sqrt((away**2).mean(-1))
    town = np.broadcast_to(clips.town[:, None], valid.shape)[valid]
    early = np.broadcast_to(np.arange(said.shape[1]) < 16, valid.shape)[valid]
    told = {}
    for name, error in wrong.items():
        told[f"{name}, frames 1 to 16"] = _told(said[valid][early], error[valid][early], town[early], worst)
        told[f"{name}, all frames"] = _told(said[valid], error[valid], town, worst)
    return told | {"usual, q99": bootstrap(lambda rows: float(np.quantile(said[rows, 0], 0.99)), clips.town)}


def _told(said: Array, error: Array, town: Array, worst: float) -> Interval:
    bad = error > np.quantile(error, 1 - worst)
    return bootstrap(lambda rows: auroc(said[rows], bad[rows]), town)


def _paired(a: Array, b: Array, town: Array) -> Interval:
    return bootstrap(lambda rows: pearson(a[rows], b[rows]), town)


def _frames(a: Array, b: Array, keep: Array, town: Array) -> Interval:
    return _paired(a[keep], b[keep], np.broadcast_to(town[:, None], keep.shape)[keep])
