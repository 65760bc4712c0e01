"""How true a dream is to what it dreams of: every figure against real films of unseen towns.

    python -m eval.fidelity                          the shipped Drive dream against its twin
    python -m eval.fidelity dream=my.safetensors fast=true
    python -m eval.fidelity dream=my.safetensors evidence.twin= evidence.data=held_out evidence.probe_data=train

Writes runs/fidelity/: fidelity.json, clips.csv, clips.png and minutes.png (dream above twin), fidelity.png.
Real drives are recorded once and kept in runs/cache; docs/evaluation.md says what each figure means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import hydra
import numpy as np
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from eval import endurance, report, scores
from eval.baselines import CopyLastFrame
from eval.clips import Array, Clips, cut, shuffled
from eval.evidence import Evidence, EvidenceConfig, gather
from eval.keeper import fit_keeper
from eval.machine import machine
from eval.rollout import Rollout, roll_out
from eval.scores import KINDS, Pixels, pixels
from eval.worlds import open_world
from wmsim.data.progress import Meter
from wmsim.metrics import Interval, Probe, ProbeConfig, bootstrap_mean, clip_features, fit_probe
from wmsim.world import World


@dataclass(frozen=True)
class FidelityConfig:
    """dream: see `eval.worlds`. steps: sampling steps tried beside what the checkpoint ships with. slots: dreamt at
    once. horizons: frames after the context at which pixels are compared. gap: frames between a probe's two. seconds:
    moments at which a long dream is judged. probe, keeper: how they are trained. bars: what is asked, by name. fast:
    the whole story in small, its figures worth nothing."""

    dream: str
    steps: tuple[int, ...]
    slots: int
    device: str
    horizons: tuple[int, ...]
    gap: int
    seconds: tuple[float, ...]
    evidence: EvidenceConfig
    probe: ProbeConfig
    keeper: ProbeConfig
    bars: dict[str, float]
    out: str
    fast: bool


@dataclass(frozen=True)
class Dreamt:
    """What one sampler made of the clips, and of the short ones."""

    name: str
    clips: Rollout
    short: Rollout


def dream_all(config: FidelityConfig, evidence: Evidence) -> list[Dreamt]:
    """The clips under the sampler that ships, then under every other number of steps."""
    world = open_world(config.dream, config.slots, None, config.device)
    shipped = getattr(world, "steps", None)
    made = [_dream(f"dream, K = {shipped}" if shipped else "dream", world, evidence)]
    world.close()
    for steps in config.steps:
        if steps != shipped:
            world = open_world(config.dream, config.slots, steps, config.device)
            made.append(_dream(f"dream, K = {steps}", world, evidence))
            world.close()
    return made


def _dream(name: str, world: World, evidence: Evidence) -> Dreamt:
    return Dreamt(name, roll_out(world, evidence.clips), roll_out(world, evidence.short))


def films(config: FidelityConfig, evidence: Evidence, dreamt: Sequence[Dreamt]) -> dict[str, tuple[Array, Clips]]:
    """Every row of the tables: name -> its frames and the clips that they are compared with."""
    clips = evidence.clips
    rows = {one.name: (one.clips.frames, clips) for one in dreamt}
    world = open_world(config.dream, config.slots, None, config.device)
    rows["shuffled controls"] = (roll_out(world, clips, shuffled(clips.action, clips.context)).frames, clips)
    rows["copy last frame"] = (roll_out(CopyLastFrame(world.spec, config.slots), clips).frames, clips)
    world.close()
    for name, film in (("twin again", evidence.again), ("twin, wheel shaken", evidence.jittered)):
        if film is not None:
            rows[name] = (film, clips.select(np.arange(len(film))))
    return rows


def by_kind(pixels: Pixels, horizons: Sequence[int], towns: Array) -> dict[str, dict[str, dict[int, Interval]]]:
    """metric -> kind of pixel -> horizon -> interval."""
    return {
        metric: {
            kind: {h: pixels.interval(k, n, towns, metric) for n, h in enumerate(horizons)}
            for k, kind in enumerate(KINDS)
        }
        for metric in ("psnr", "ssim")
    }


def difference(a: Pixels, b: Pixels, kind: int, horizons: Sequence[int], towns: Array) -> dict[int, Interval]:
    """How far a lies above b in dB, clip by clip, at each horizon."""
    return {h: bootstrap_mean(a.psnr[kind, n] - b.psnr[kind, n], towns) for n, h in enumerate(horizons)}


def train_probe(config: FidelityConfig, evidence: Evidence) -> Probe | None:
    """The probe, on real frames of other towns; None where there are none."""
    if not evidence.probe:
        return None
    frames = np.concatenate([episode.frames for episode in evidence.probe])
    first = np.cumsum([0, *(len(episode) for episode in evidence.probe[:-1])])
    samples, targets = [], []
    for at, episode in zip(first, evidence.probe, strict=True):
        here = at + np.arange(len(episode) - config.gap)
        samples.append(np.stack([here, here + config.gap], -1))
        into = np.concatenate([episode.action[:1], episode.action])[None]
        proprio = None if episode.proprio is None else episode.proprio[None]
        targets.append(scores.targets_of(into, proprio, config.gap, evidence.yaw_rate)[0])
    return fit_probe(frames, np.concatenate(samples), np.concatenate(targets), config.probe)


def read_back(
    config: FidelityConfig, probe: Probe | None, rows: Mapping[str, Rollout], evidence: Evidence
) -> dict[str, dict[str, Interval]]:
    """Obedience of every row, over its first 16 frames and over all; nothing without a probe."""
    found: dict[str, dict[str, Interval]] = {}
    if probe is None:
        return found
    for name, rollout in rows.items():
        for upto in sorted({min(16, evidence.clips.horizon), evidence.clips.horizon}):
            read = scores.obedience(probe, rollout.frames, evidence.clips, config.gap, evidence.yaw_rate, upto)
            for target, cells in read.items():
                found[f"{name}, {target}, frames 1 to {upto}"] = cells
    return found


def long_films(config: FidelityConfig, evidence: Evidence) -> Array | None:
    """The long dreams, (n, T, h, w, 3), of a driver that sees only frames; None without long drives."""
    if not evidence.long or evidence.expert is None:
        return None
    keeper = fit_keeper(evidence.probe, evidence.expert, config.keeper)
    frames = config.evidence.long_frames
    world = open_world(config.dream, len(evidence.long), None, config.device)
    with Meter("long dreams", frames, "frames") as meter:
        starts = cut(evidence.long, [0] * len(evidence.long), config.evidence.context, 1)
        film = endurance.endure(world, starts, keeper, frames, meter.advance)
    world.close()
    return film


def judge_long(config: FidelityConfig, evidence: Evidence, film: Array) -> dict[str, dict[str, Interval]]:
    """The figures of the long dreams and of the twin's own long drives, at every moment asked about."""
    real = [episode.frames for episode in evidence.long]
    known, towns = endurance.windows([episode.frames for episode in evidence.probe])
    features = clip_features(known)
    whole = np.stack([one[: min(map(len, real))] for one in real])
    found = {}
    for name, shown in (("dream", film), ("twin", whole)):
        judged = endurance.endurance(shown, real, features, towns, evidence.rate, config.seconds)
        found.update({f"{name} at {moment}": cells for moment, cells in judged.items()})
    return found


# --- the program ---------------------------------------------------------------------------------------------------


def run(config: FidelityConfig, console: Console) -> dict[str, Any]:
    """Measure everything, write the files under `config.out`, print the tables; returns what fidelity.json holds."""
    evidence = gather(config.evidence)
    dreamt = dream_all(config, evidence)
    rows = films(config, evidence, dreamt)
    measured = {name: pixels(film, clips, config.horizons) for name, (film, clips) in rows.items()}
    probe, long = train_probe(config, evidence), long_films(config, evidence)
    towns, main, copied = evidence.clips.town, measured[dreamt[0].name], measured["copy last frame"]
    result: dict[str, Any] = {
        "settings": asdict(config),
        "machine": machine(),
        "pixels": {name: by_kind(one, config.horizons, rows[name][1].town) for name, one in measured.items()},
        "above_copy": {one.name: difference(measured[one.name], copied, 0, config.horizons, towns) for one in dreamt},
        "kinds_above_copy": {kind: difference(main, copied, k, config.horizons, towns) for k, kind in enumerate(KINDS)},
        "shuffle_gap": {dreamt[0].name: difference(main, measured["shuffled controls"], 0, config.horizons, towns)},
        "obedience": read_back(config, probe, {one.name: one.clips for one in dreamt}, evidence),
        "reward": kept({one.name: scores.reward_scores(one.short, evidence.short) for one in dreamt}),
        "end": kept({one.name: scores.end_scores(one.short, evidence.short) for one in dreamt}),
        "uncertainty": kept({one.name: scores.doubt_scores(one.clips, evidence.clips) for one in dreamt}),
        "endurance": judge_long(config, evidence, long) if long is not None else {},
        "frames_per_second": len(evidence.clips) * evidence.clips.horizon / dreamt[0].clips.seconds,
    }
    result["bars"] = bars_of(result, config)
    save(config, evidence, dreamt[0].clips.frames, long, measured, rows, result)
    report.print_all(console, result, config.horizons)
    return result


def kept(rows: Mapping[str, dict[str, Interval]]) -> dict[str, dict[str, Interval]]:
    """The rows that have figures."""
    return {name: cells for name, cells in rows.items() if cells}


def bars_of(result: Mapping[str, Any], config: FidelityConfig) -> list[dict[str, Any]]:
    """Every bar of the settings beside what was measured; `reached` is None where nothing was."""
    first = next(iter(result["above_copy"]))
    figures: dict[str, Interval | None] = {
        **{f"above copy at frame {h}, dB": value for h, value in result["above_copy"][first].items()},
        **{f"shuffle gap at frame {h}, dB": value for h, value in result["shuffle_gap"][first].items()},
        "steering read back, times real": _cell(result["obedience"], f"{first}, steer, frames 1 to", "ratio"),
        "reward, summed": _cell(result["reward"], first, "summed"),
        "end, per frame": _cell(result["end"], first, "per frame"),
        "frozen, last moment": _cell(result["endurance"], "dream at", "frozen"),
        "colour shift, last moment, %": _cell(result["endurance"], "dream at", "colour shift"),
    }
    return [_bar(name, asked, figures.get(name)) for name, asked in config.bars.items()]


def _cell(rows: Mapping[str, Mapping[str, Interval]], beginning: str, column: str) -> Interval | None:
    found = [cells for name, cells in rows.items() if name.startswith(beginning)]
    return found[-1][column] if found else None


def _bar(name: str, asked: float, measured: Interval | None) -> dict[str, Any]:
    """Asked below zero means: at most its absolute value."""
    known = measured is not None and not np.isnan(measured.mean)
    sign = "at most" if asked < 0 else "at least"
    reached = None
    if known and measured is not None:
        reached = bool(measured.mean <= -asked if asked < 0 else measured.mean >= asked)
    return {"name": name, "sign": sign, "asked": abs(asked), "measured": measured if known else "-", "reached": reached}


def save(
    config: FidelityConfig,
    evidence: Evidence,
    film: Array,
    long: Array | None,
    measured: Mapping[str, Pixels],
    rows: Mapping[str, tuple[Array, Clips]],
    result: Mapping[str, Any],
) -> None:
    """All files of one run."""
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    report.save_json(out / "fidelity.json", result)
    towns = {name: clips.town for name, (_, clips) in rows.items()}
    report.save_csv(out / "clips.csv", measured, towns, config.horizons)
    report.save_sheet(out / "clips.png", film, evidence.clips, config.horizons)
    if long is not None:
        report.save_minutes(out / "minutes.png", long, [episode.frames for episode in evidence.long], evidence.rate)
    report.save_figure(out / "fidelity.png", result, config.horizons)


def in_small(config: FidelityConfig) -> FidelityConfig:
    """The same story in seconds, to see that it runs."""
    evidence = replace(
        config.evidence,
        drives=4,
        frames=48,
        again=2,
        probe_drives=4,
        probe_frames=48,
        long_drives=2,
        long_frames=64,
        long_real_frames=48,
    )
    small = ProbeConfig(width=8, epochs=1)
    return replace(config, evidence=evidence, probe=small, keeper=small, steps=(), slots=4, seconds=(2.0, 4.0))


def read_settings(settings: DictConfig) -> FidelityConfig:
    """The settings as they stand in configs/eval/fidelity.yaml."""
    plain: Any = OmegaConf.to_container(settings, resolve=True)
    plain |= {name: tuple(plain[name]) for name in ("steps", "horizons", "seconds")}
    plain["evidence"] = EvidenceConfig(**plain["evidence"])
    plain |= {name: ProbeConfig(**plain[name]) for name in ("probe", "keeper")}
    config = FidelityConfig(**plain)
    if max(config.horizons) > config.evidence.horizon:
        raise ValueError(f"horizon {max(config.horizons)} lies beyond the clips' {config.evidence.horizon} frames")
    return in_small(config) if config.fast else config


@hydra.main(version_base=None, config_path="../configs", config_name="eval/fidelity")
def main(settings: DictConfig) -> None:
    """Read the settings and run."""
    run(read_settings(settings), report.wide_console())


if __name__ == "__main__":
    main()
