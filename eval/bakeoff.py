"""Bake-off: three ways to make the next frame, trained for the same time on the same data, rolled out in unseen towns.

    python -m eval.bakeoff --data runs/drive/recording --minutes 5

patches: the transformer on raw patches of 16 pixels. latents: the same transformer on packed latents of the tokenizer,
whose training is part of the time; this is what ships. unet: a convolutional network that draws the next frame from the
last four. "time" is the processor time of the training process, so a busy machine is fair to all three.

Writes bakeoff.json and bakeoff.md under --out.

Shape legend: B samples, T frames, H x W pixels, A action width.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from eval.clips import Clips, shuffled
from eval.evidence import UNSEEN
from eval.machine import machine
from eval.recording import clips_of, drives_of, record
from eval.report import wide_console
from eval.rollout import roll_out
from wmsim.data.cache import Cache, open_cache
from wmsim.dream import DreamWorld
from wmsim.metrics import psnr
from wmsim.model.dynamics import DynamicsConfig
from wmsim.model.precision import autocast
from wmsim.model.tokenizer import Tokenizer, TokenizerConfig, to_frames, to_pixels
from wmsim.model.world_model import WorldModel, WorldModelConfig
from wmsim.train.dynamics import DynamicsStage, DynamicsStageConfig
from wmsim.train.latents import Latents, encode_all
from wmsim.train.loop import Draw, Loop, LoopConfig, Stage
from wmsim.train.program import TrainConfig, card_of, draw_starts, set_scales
from wmsim.train.tokenizer import TokenizerStage, TokenizerStageConfig

HORIZONS = (1, 4, 8, 16)
CONTEXT = 16
TOKENIZER_SHARE = 0.3


@dataclass(frozen=True)
class Outcome:
    """parameters; seconds of processor time in training; visits of frames; PSNR in dB by horizon under the true and
    under shuffled controls; milliseconds a frame when 16 roll at once."""

    parameters: int
    seconds: float
    visits: int
    psnr: list[float]
    shuffled: list[float]
    milliseconds: float


Roll = Callable[[Clips], np.ndarray]
"""Clips -> dreamt frames (C, H, h, w, 3)."""


def trained(stage: Stage, seconds: float, frames: int, rate: float, folder: Path) -> tuple[float, int]:
    """Train for `seconds` of processor time; returns the time taken and the frames seen.

    Up to six timed batches, in a tenth of the time, tell how many steps fit, so that the learning rate can fall to zero
    at the end.
    """
    stage.losses(Draw.of(9, 0, 0))["total"].backward()
    began, timed = time.process_time(), 0
    while timed == 0 or (timed < 6 and time.process_time() - began < seconds / 10):
        stage.losses(Draw.of(9, timed, 0))["total"].backward()
        timed += 1
    steps = max(2, int(seconds / ((time.process_time() - began) / timed)))
    stage.module.zero_grad()
    began = time.process_time()
    Loop(stage, LoopConfig(steps, rate, decay=0.6, ema=0.995, save_every=steps), folder, 0).run()
    return time.process_time() - began, steps * frames


# --- the two transformers ------------------------------------------------------------------------------------------


class Patches(Tokenizer):
    """In the tokenizer's place: the pixels themselves."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__(replace(config, dim=4, heads=1, encoder_layers=0, decoder_layers=0))
        self.config = config

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, H, W, 3)."""
        return rearrange(pixels, "b c h w -> b h w c")

    def decode_pixels(self, latent: Tensor, before: Tensor | None = None, linked: Tensor | None = None) -> Tensor:
        """(B, H, W, 3) -> (B, 3, H, W)."""
        return rearrange(latent, "b h w c -> b c h w").float()


def transformer(raw: bool, cache: Cache, seconds: float, out: Path) -> tuple[Roll, int, float, int]:
    """Train the shipped dynamics on latents, or on raw patches."""
    height, width = cache.frames.shape[1:3]
    sizes = TokenizerConfig(height, width, patch=1, overlap=0, channels=3) if raw else TokenizerConfig(height, width)
    side = 16 if raw else 2
    rows, columns = sizes.grid
    network = DynamicsConfig(
        tokens=rows * columns // side**2,
        channels=sizes.channels * side**2,
        actions=cache.action.shape[1],
        proprio=cache.proprio.shape[1],
    )
    model = WorldModel(WorldModelConfig(sizes, network, side))
    spent, key = 0.0, {"bake-off": time.time()}
    if raw:
        model.tokenizer = Patches(sizes)
    else:
        every = np.arange(len(cache.frames))
        stage = TokenizerStage(model.tokenizer, cache.frames, every, TokenizerStageConfig())
        spent, _ = trained(stage, TOKENIZER_SHARE * seconds, 0, 1e-3, out)
    latents = encode_all(model.tokenizer, cache, out / "latents.npy", "cpu", key)
    set_scales(model, latents)
    taught = DynamicsStageConfig(bootstrap=0.0, rollout=0.0, drift=0.0)
    dynamics = DynamicsStage(model, latents, taught, 1)
    visits = taught.batch * taught.frames
    more, seen = trained(dynamics, seconds - spent, visits, 8e-4, out)
    (out / "latents.npy").unlink()
    card = card_of(cache, TrainConfig("", "", domain="wheel"))
    world = DreamWorld(model.eval(), card, draw_starts(latents, 2, 4, 0), 16)
    parameters = sum(p.numel() for p in model.dynamics.parameters())
    parameters += 0 if raw else sum(p.numel() for p in model.tokenizer.parameters())
    return lambda clips: roll_out(world, clips).frames, parameters, spent + more, seen


# --- the convolutional network -------------------------------------------------------------------------------------


class Block(nn.Module):
    """Two 3x3 convolutions around a scale and shift that the action sets."""

    def __init__(self, width: int, action: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.norm, self.style = nn.GroupNorm(8, width), nn.Linear(action, 2 * width)

    def forward(self, x: Tensor, action: Tensor) -> Tensor:
        """(B, width, h, w) -> the same."""
        scale, shift = self.style(action)[..., None, None].chunk(2, 1)
        h = self.norm(self.first(F.silu(x))) * (1 + scale) + shift
        out: Tensor = x + self.second(F.silu(h))
        return out


class UNet(nn.Module):
    """The next frame as a change of the last one, from four frames and the action; about half a million parameters."""

    def __init__(self, actions: int, width: int = 48, past: int = 4) -> None:
        super().__init__()
        self.past, self.action = past, nn.Sequential(nn.Linear(actions, 64), nn.SiLU(), nn.Linear(64, 64))
        self.inward, self.outward = nn.Conv2d(12 * past, width, 3, padding=1), nn.Conv2d(width, 12, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(width, width, 3, stride=2, padding=1) for _ in range(2))
        self.up = nn.ModuleList(nn.Conv2d(2 * width, width, 3, padding=1) for _ in range(2))
        self.blocks = nn.ModuleList(Block(width, 64) for _ in range(8))
        nn.init.zeros_(self.outward.weight)

    def forward(self, frames: Tensor, action: Tensor) -> Tensor:
        """Frames (B, past, 3, H, W) in [-1, 1] and the action (B, A) that follows -> the next frame (B, 3, H, W)."""
        a = self.action(action)
        x = self.inward(rearrange(frames, "b t c (h p) (w q) -> b (t c p q) h w", p=2, q=2))
        x = self.blocks[0](x, a)
        middle = self.blocks[2](self.blocks[1](self.down[0](x), a), a)
        low = self.blocks[5](self.blocks[4](self.blocks[3](self.down[1](middle), a), a), a)
        middle = self.up[0](torch.cat([middle, F.interpolate(low, scale_factor=2)], 1))
        middle = self.blocks[6](middle, a)
        x = self.blocks[7](self.up[1](torch.cat([x, F.interpolate(middle, scale_factor=2)], 1)), a)
        change: Tensor = rearrange(self.outward(x), "b (c p q) h w -> b c (h p) (w q)", p=2, q=2)
        return frames[:, -1] + change


class UNetStage:
    """Squared error of the next frame; the past is shown with a little noise."""

    name = "unet"

    def __init__(self, network: UNet, latents: Latents, batch: int = 32) -> None:
        self.module: nn.Module = network
        self.network, self.latents, self.batch = network, latents, batch

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        """The mean squared error of a batch."""
        past = self.network.past
        batch = self.latents.sample(draw, self.batch, past + 2, 0.0)
        frames = torch.from_numpy(self.latents.cache.frames[batch.rows[:, 1:]])
        pixels = to_pixels(frames)
        noise = torch.randn(pixels[:, :past].shape, generator=draw.torch)
        with autocast("cpu"):
            made = self.network(pixels[:, :past] + 0.02 * noise, batch.action[:, -1])
        return {"total": (made.float() - pixels[:, past]).square().mean()}

    def saved(self) -> None:
        """Nothing ships from here."""


def convolutional(cache: Cache, seconds: float, out: Path) -> tuple[Roll, int, float, int]:
    """Train the U-Net."""
    network = UNet(cache.action.shape[1])
    blank = np.zeros((len(cache.frames), 1, 1, 1), np.float16)
    stage = UNetStage(network, Latents(blank, cache))
    spent, visits = trained(stage, seconds, stage.batch, 1e-3, out)
    parameters = sum(p.numel() for p in network.parameters())
    return lambda clips: _roll_unet(network.eval(), clips), parameters, spent, visits


@torch.no_grad()
def _roll_unet(network: UNet, clips: Clips) -> np.ndarray:
    parts = []
    for first in range(0, len(clips), 16):
        some = slice(first, first + 16)
        start = torch.from_numpy(clips.frames[some, clips.context - network.past : clips.context])
        shown = list(to_pixels(start).unbind(1))
        for t in range(clips.context - 1, clips.action.shape[1]):
            with autocast("cpu"):
                made = network(torch.stack(shown[-network.past :], 1), torch.from_numpy(clips.action[some, t]))
            shown.append(made.float().clamp(-1, 1))
        parts.append(torch.stack([to_frames(frame) for frame in shown[network.past :]], 1).numpy())
    return np.concatenate(parts)


# --- the comparison ------------------------------------------------------------------------------------------------


def judged(roll: Roll, clips: Clips) -> tuple[list[float], list[float], float]:
    """PSNR by horizon under the true and the shuffled controls, and milliseconds a frame."""
    began = time.perf_counter()
    made = roll(clips)
    each = (time.perf_counter() - began) / made[..., 0, 0, 0].size * 1000
    other = roll(replace(clips, action=shuffled(clips.action, clips.context)))
    return by_horizon(made, clips), by_horizon(other, clips), each


def by_horizon(frames: np.ndarray, clips: Clips) -> list[float]:
    """The mean PSNR of the clips that had not ended, at each of `HORIZONS`."""
    found = []
    for horizon in HORIZONS:
        there = clips.valid[:, horizon - 1]
        found.append(float(psnr(frames[there, horizon - 1], clips.future[there, horizon - 1]).mean()))
    return found


def bakeoff(
    data: Annotated[str, typer.Option(help="a recorded data set of the twin")] = "runs/drive/recording",
    twin: Annotated[str, typer.Option(help="where the unseen towns are driven")] = "drive",
    minutes: Annotated[float, typer.Option(help="processor minutes each way is trained for, all cores together")] = 10,
    towns: Annotated[int, typer.Option(help="unseen towns to judge in")] = 32,
    out: Annotated[Path, typer.Option(help="where the table goes")] = Path("runs/bakeoff"),
    cache: Annotated[Path, typer.Option(help="where drives in the twin are kept")] = Path("runs/cache"),
    workers: Annotated[int, typer.Option(help="processes that drive the twin; 0 drives it in this one")] = 2,
) -> None:
    """Train and judge all three."""
    whole, console = open_cache(data), wide_console()
    size = whole.frames.shape[1]
    wanted = drives_of(twin, towns, UNSEEN, CONTEXT + HORIZONS[-1], size, context=CONTEXT, horizon=HORIZONS[-1])
    clips = clips_of(record(wanted, cache, workers, "unseen towns"), CONTEXT, HORIZONS[-1])
    still = np.repeat(clips.frames[:, [CONTEXT - 1]], HORIZONS[-1], 1)
    rows: dict[str, Any] = {"copy last frame": by_horizon(still, clips)}
    ways: dict[str, Callable[[Path], tuple[Roll, int, float, int]]] = {
        "patches": lambda folder: transformer(True, whole, 60 * minutes, folder),
        "latents": lambda folder: transformer(False, whole, 60 * minutes, folder),
        "unet": lambda folder: convolutional(whole, 60 * minutes, folder),
    }
    for name, way in ways.items():
        torch.manual_seed(0)
        (out / name).mkdir(parents=True, exist_ok=True)
        roll, parameters, seconds, visits = way(out / name)
        rows[name] = asdict(Outcome(parameters, seconds, visits, *judged(roll, clips)))
        console.print(name, rows[name])
    (out / "bakeoff.json").write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2))
    (out / "bakeoff.md").write_text(markdown(rows))
    console.print(markdown(rows), markup=False)


def markdown(rows: dict[str, Any]) -> str:
    """The table of docs/model.md."""
    heads = ["", "parameters", "frame visits", *(f"PSNR at {h}" for h in HORIZONS), "shuffle gap at 8", "ms a frame"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    at = HORIZONS.index(8)
    for name, row in rows.items():
        if isinstance(row, list):
            cells = [name, "-", "-", *(f"{value:.1f}" for value in row), "-", "-"]
        else:
            gap = row["psnr"][at] - row["shuffled"][at]
            size, visits = f"{row['parameters'] / 1e6:.1f} M", f"{row['visits'] / 1e3:.0f} k"
            figures = [f"{value:.1f}" for value in row["psnr"]]
            cells = [name, size, visits, *figures, f"{gap:.1f}", f"{row['milliseconds']:.1f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.run(bakeoff)
