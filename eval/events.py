"""How soon is an event seen? A small network learns on the twin to see them, and times them in twin and dream.

    python -m eval.events                                       the twin alone
    python -m eval.events --dream runs/world/model.safetensors  a dream that is told the same, beside it

Latency: from the frame in which an event is told to the first in which the network holds it for likelier than not, in
seconds, on towns that it never saw. "unprompted" says how often it sees the event where nothing was told.
Writes events.json, a contact sheet, and the network, which later runs with the same settings take.
Shape legend: N frames, E events, V trials, T frames after the telling.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from einops import rearrange
from jaxtyping import Bool, Float, UInt8
from rich.progress import track
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from eval.film import sheet
from eval.machine import machine
from wmsim import dream as dreams
from wmsim.control import Control
from wmsim.data.telling import Teller, TellingConfig
from wmsim.policy import DriverConfig, ScriptedDriver
from wmsim.sims.atmosphere import TOLD
from wmsim.sims.drive import EVENTS, DriveWorld
from wmsim.world import Start, World

UNSEEN = 1_000_000
"""Towns from here on are never trained on."""
RATE, BEFORE = 16, 8
"""Frames a second, and how many of them pass between the two that the network looks at."""
_SHOWN = (-1, 4, 8, 16, 24, 32)


@dataclass(frozen=True)
class EventsConfig:
    """drives, frames: of the twin, to learn from. trials: towns in which every event is told. quiet, watched: frames
    before and after the telling. epochs, batch, rate: of the training."""

    drives: int = 120
    frames: int = 160
    size: int = 64
    trials: int = 12
    quiet: int = 24
    watched: int = 48
    epochs: int = 8
    batch: int = 64
    rate: float = 2e-3
    width: int = 32


class Seer(nn.Module):
    """Two frames in, the logits that each event can be seen in the second out; strided convolutions, then the maximum
    and the mean over the picture: a pedestrian is a few pixels, night is all of them."""

    def __init__(self, width: int, events: int = len(EVENTS)) -> None:
        super().__init__()
        widths, layers = (6, width, 2 * width, 3 * width, 4 * width), []
        for inner, outer in pairwise(widths):
            layers += [nn.Conv2d(inner, outer, 3, 2, 1), nn.GroupNorm(4, outer), nn.GELU()]
        self.trunk, self.head = nn.Sequential(*layers), nn.Linear(8 * width, events)

    def forward(self, pairs: UInt8[Tensor, "N 2 H W 3"]) -> Float[Tensor, "N E"]:
        """Logits."""
        seen = self.trunk(rearrange(pairs, "n f h w c -> n (f c) h w").float() / 127.5 - 1)
        logits: Tensor = self.head(torch.cat([seen.amax((-1, -2)), seen.mean((-1, -2))], -1))
        return logits

    @torch.no_grad()
    def read(self, film: UInt8[np.ndarray, "T H W 3"]) -> Float[np.ndarray, "T E"]:
        """The probability of every event in every frame; before the film, its first frame stood still."""
        earlier = film[np.maximum(np.arange(len(film)) - BEFORE, 0)]
        pairs = torch.from_numpy(np.stack([earlier, film], 1))
        chances: Float[np.ndarray, "T E"] = np.concatenate([self(part).sigmoid().numpy() for part in pairs.split(256)])
        return chances


# --- drives ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Film:
    """Frames (T, H, W, 3), how far each event can be seen in them (T, E), and the wheel (T - 1, 2) between them."""

    frames: UInt8[np.ndarray, "T H W 3"]
    seen: Float[np.ndarray, "T E"]
    wheel: Float[np.ndarray, "T-1 2"]


def drive(seed: int, frames: int, size: int, told: dict[int, str], calm: bool = True) -> Film:
    """A drive of at most `frames` frames in the twin; told: step -> event."""
    world = DriveWorld(1, size, ("state", "events"))
    still = {"noise": 0.0, "pedal_noise": 0.0, "recoveries": 0.0, "stops": 0.0, "mistakes": 0.0}
    driver = ScriptedDriver(DriverConfig(**still) if calm else DriverConfig(mistakes=0.0))
    driver.reset([0], [seed])
    step, wheel = world.reset([0], [seed]), []
    film = [(step.frames["front"][0, 0].numpy().copy(), step.info["events"][0])]
    for t in range(frames - 1):
        assert step.terminated is not None
        if bool(step.terminated.any()):
            break
        wheel.append(driver.act([0], None, step.info)[0, 0])
        step = world.step([0], replace(Control.of_wheel(wheel[-1][None]), event=(told.get(t),)))
        film.append((step.frames["front"][0, 0].numpy().copy(), step.info["events"][0]))
    world.close()
    return Film(np.stack([f for f, _ in film]), np.stack([e for _, e in film]), np.array(wheel).reshape(-1, 2))


def told_at_random(seed: int, frames: int) -> dict[int, str]:
    """What is told in a drive to learn from, every two or three seconds: in every second drive what comes onto the road
    alone, by the town's own light, for it is smaller and harder to see than weather."""
    events = EVENTS if seed % 2 else EVENTS[len(TOLD) :]
    teller = Teller(TellingConfig({event: (event,) for event in events}, 2.5), float(RATE), seed)
    return {t: said[0] for t in range(frames) if (said := teller.next())}


# --- the network -----------------------------------------------------------------------------------------------------


def fit(films: list[Film], config: EventsConfig, seed: int = 0) -> Seer:
    """A network that sees events in the frames of these films, by cross-entropy on each event."""
    frames, wanted = np.concatenate([f.frames for f in films]), np.concatenate([f.seen for f in films])
    starts = np.concatenate([np.full(len(f.frames), start) for f, start in zip(films, _starts(films), strict=True)])
    earlier = np.maximum(np.arange(len(frames)) - BEFORE, starts)
    torch.manual_seed(seed)
    seer, rng = Seer(config.width), np.random.default_rng(seed)
    steps = config.epochs * max(1, len(frames) // config.batch)
    optimiser = torch.optim.AdamW(seer.parameters(), config.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.rate, total_steps=steps + 1, pct_start=0.1)
    for _ in track(range(steps), "learning to see events"):
        rows = rng.integers(0, len(frames), config.batch)
        pairs = torch.from_numpy(np.stack([frames[earlier[rows]], frames[rows]], 1))
        loss = F.binary_cross_entropy_with_logits(seer(pairs), torch.from_numpy(wanted[rows]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return seer.eval()


def learnt(config: EventsConfig, path: Path) -> Seer:
    """The network that an earlier run with these settings left at `path`, or one that learns now and is kept there."""
    about = {"config": json.dumps(asdict(config))}
    if path.is_file():
        with safe_open(path, "pt") as kept:
            if kept.metadata() == about:
                seer = Seer(config.width)
                seer.load_state_dict({name: kept.get_tensor(name) for name in kept.keys()})  # noqa: SIM118 (no dict)
                return seer.eval()
    films = [
        drive(seed, config.frames, config.size, told_at_random(seed, config.frames), calm=False)
        for seed in track(range(config.drives), "driving to learn from")
    ]
    seer = fit(films, config)
    save_file(seer.state_dict(), path, about)
    return seer


def _starts(films: list[Film]) -> np.ndarray:
    lengths = np.array([len(f.frames) for f in films])
    return np.cumsum(lengths) - lengths


# --- the measure -----------------------------------------------------------------------------------------------------


def latency(chances: Float[np.ndarray, " T"]) -> float:
    """Seconds from the telling, chances[0] being its own frame, until the event is likelier than not; inf: never."""
    held: Bool[np.ndarray, " T"] = chances > 0.5
    return float((np.argmax(held) + 1) / RATE) if held.any() else float("inf")


def summary(seconds: list[float], unprompted: float) -> dict[str, Any]:
    """p50 and p95 over trials, None where that trial never showed it; the share of trials that did."""
    found = np.percentile(seconds, [50, 95], method="higher")
    p50, p95 = (float(value) if np.isfinite(value) else None for value in found)
    seen = float(np.isfinite(seconds).mean())
    return {"p50_s": p50, "p95_s": p95, "seen": seen, "unprompted": unprompted, "trials": len(seconds)}


def told_in_dream(world: World, film: Film, event: str | None, config: EventsConfig) -> UInt8[np.ndarray, "T H W 3"]:
    """What a dream shows that begins from the quiet frames of `film` and is told `event` under the same wheel."""
    camera, quiet = next(iter(world.spec.cameras)), config.quiet
    known, wheel = torch.from_numpy(film.frames[None, :quiet]), torch.from_numpy(film.wheel.astype(np.float32))
    world.reset([0], [0], Start({camera: known}, Control(robot=wheel[None, : quiet - 1], domain="wheel")))
    shown = []
    for t in range(quiet - 1, len(film.wheel)):
        control = replace(Control.of_wheel(wheel[t][None]), event=(event if t == quiet - 1 else None,))
        shown.append(world.step([0], control).frames[camera][0, 0].cpu().numpy().copy())
    return np.concatenate([film.frames[:quiet], np.stack(shown)])


def measure(config: EventsConfig, out: Path, dream: World | None = None) -> dict[str, Any]:
    """Learn, tell, time; writes events.json and events.png into `out`. ValueError: a dream that takes no events."""
    if dream is not None and not set(EVENTS) <= set(dream.spec.events or EVENTS):
        raise ValueError(f"world {dream.spec.name!r} takes the events {list(dream.spec.events or ())}, not {EVENTS}")
    out.mkdir(parents=True, exist_ok=True)
    seer = learnt(config, out / "seer.safetensors")
    length, towns = config.quiet + config.watched, range(UNSEEN, UNSEEN + config.trials)

    def films(event: str | None) -> dict[str, list[UInt8[np.ndarray, "T H W 3"]]]:
        driven = [
            drive(town, length, config.size, {} if event is None else {config.quiet - 1: event}) for town in towns
        ]
        shown = {"twin": [film.frames for film in driven]}
        if dream is not None:
            shown["dream"] = [told_in_dream(dream, film, event, config) for film in driven]
        return shown

    quiet = {kind: np.concatenate([seer.read(f)[config.quiet :] for f in shown]) for kind, shown in films(None).items()}
    unprompted = {kind: (chances > 0.5).mean(0) for kind, chances in quiet.items()}
    tables: dict[str, Any] = {kind: {} for kind in quiet}
    waited: dict[str, list[float]] = {kind: [] for kind in quiet}
    rows, names = [], []
    for number, event in enumerate(track(EVENTS, "telling events")):
        shown = films(event)
        whole = [i for i, frames in enumerate(shown["twin"]) if len(frames) > config.quiet + max(_SHOWN)] or [0]
        for kind, pictures in shown.items():
            seconds = [latency(seer.read(frames)[config.quiet :, number]) for frames in pictures]
            tables[kind][event] = summary(seconds, float(unprompted[kind][number]))
            waited[kind] += seconds
            chosen = pictures[whole[0]]
            rows.append(np.stack([chosen[min(config.quiet + t, len(chosen) - 1)] for t in _SHOWN]))
            names.append(f"{event}, {kind}"[:24])
    for kind, seconds in waited.items():
        tables[kind]["all"] = summary(seconds, float(unprompted[kind].mean()))
    heads = [f"{(t + 1) / RATE:.2f} s" for t in _SHOWN]
    sheet(rows, names, heads, 2).save(out / "events.png")
    result = {"events": tables, "config": vars(config), "machine": machine()}
    (out / "events.json").write_text(json.dumps(result, indent=2))
    return result


def main(
    dream: Annotated[str, typer.Option(help="a checkpoint that knows the events, to be told them too")] = "",
    out: Annotated[Path, typer.Option(help="where events.json and events.png go")] = Path("runs/events"),
    drives: Annotated[int, typer.Option(help="drives in the twin to learn from")] = EventsConfig.drives,
    trials: Annotated[int, typer.Option(help="towns in which every event is told")] = EventsConfig.trials,
    size: Annotated[int, typer.Option(help="pixels a side")] = EventsConfig.size,
) -> None:
    """Time events in the twin, and in a dream."""
    world = dreams.load(dream, endless=True) if dream else None
    tables = measure(EventsConfig(drives=drives, trials=trials, size=size), out, world)["events"]
    for kind, table in tables.items():
        for event, row in table.items():
            print(f"{kind:6} {event:22} {row}")


if __name__ == "__main__":
    typer.run(main)
