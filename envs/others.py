"""Environments of others, from nothing to both proofs: CarRacing and a MuJoCo arm, seen as pictures of 64 x 64.

    pip install box2d pygame && python -m envs.others racing
    pip install imageio && MUJOCO_GL=osmesa python -m envs.others reacher

Records random actions held for spells, trains a small dream, holds it against recordings that it never saw
(`eval.fidelity`), trains PPO in it and acts in the real environment (`eval.transfer`), ranks policies in both
(`eval.agreement`). Every part goes on where it was stopped; all of it is in runs/outside/<name>/. README shows the same
as commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from eval import agreement, fidelity, transfer
from eval.evidence import UNSEEN
from eval.report import wide_console
from eval.settings import composed, of_two
from wmsim import train as training
from wmsim.data.record import RecordConfig, record
from wmsim.data.rollout import ViewConfig

PARTS = ("record", "train", "fidelity", "transfer", "agreement")
SIDE = 64

SMALL = (
    "model.tokenizer.dim=96",
    "model.tokenizer.hidden=256",
    "model.dynamics.dim=128",
    "model.dynamics.hidden=320",
    "model.dynamics.layers=6",
    "dynamics.adversary_from=1.0",
    "tokenizer_loop.steps=2000",
    "dynamics_loop.steps=2500",
    "outcomes.drives=600",
    "outcome_loop.steps=1000",
    "decoder_loop.steps=300",
    "starts=40",
    "test=0.02",
)


@dataclass(frozen=True)
class Other:
    """An environment and how much of everything.

    env, kwargs: for gym.make. levels: of the wandering that is recorded. render: its picture is `render()`. frames,
    longest: recorded, and of an episode at most; held: episodes that are never trained on. train, prove, transfer:
    settings of `configs/train.yaml`, `configs/eval/fidelity.yaml` and `configs/eval/transfer.yaml`.
    """

    env: str
    frames: int
    longest: int
    held: int = 64
    kwargs: dict[str, Any] = field(default_factory=dict)
    levels: tuple[Mapping[str, Any], ...] = ()
    render: bool = False
    train: tuple[str, ...] = ()
    prove: tuple[str, ...] = ()
    transfer: tuple[str, ...] = ()

    @property
    def made(self) -> dict[str, Any]:
        """What gym.make is given."""
        return {"render_mode": "rgb_array", **self.kwargs} if self.render else self.kwargs


OTHERS = {
    "racing": Other(
        env="CarRacing-v3",
        frames=60_000,
        longest=300,
        levels=({"rest": [0.6, 0.2, 0.95]}, {"rest": [0.5, 0.4, 0.8]}),
        train=SMALL,
        transfer=("before=60", "frames=128"),
    ),
    "reacher": Other(
        env="Reacher-v5",
        frames=40_000,
        longest=50,
        held=100,
        kwargs={"width": SIDE, "height": SIDE, "default_camera_config": {"distance": 0.55, "elevation": -90.0}},
        levels=({"shortest": 1, "longest": 6},),
        render=True,
        train=(*SMALL, "dynamics_loop.steps=6000"),
        prove=("evidence.horizon=32", "horizons=[1,4,8,16,32]"),
        transfer=("before=8", "frames=40", "guards.max_episode_steps=24"),
    ),
}

FROM_NOTHING = (
    "train.kl=0.0",
    "train.rate=3e-4",
    "train.explore=0.5",
    "guards.starts.best=1.0",
    "seeds=3",
    "steps=16384",
    "clone.steps=600",
    "mpc=0",
    "keep=1",
)
"""For PPO where the recording holds no driver worth staying near."""


@dataclass(frozen=True)
class Recipe:
    """One of `OTHERS`, where its files go, and how much of the machine it may have."""

    other: Other
    out: Path
    workers: int = 2
    fast: bool = False
    settings: tuple[str, ...] = ()

    @property
    def model(self) -> Path:
        """The checkpoint that training writes."""
        return self.out / "train" / "model.safetensors"


def record_both(recipe: Recipe) -> None:
    """What is trained on, and what is not."""
    other = recipe.other
    plain: dict[str, Any] = {"env": other.env, "policy": "wander", "workers": recipe.workers, "kwargs": other.made}
    plain |= {"levels": other.levels, "max_steps": other.longest, "view": ViewConfig(None, other.render, (SIDE, SIDE))}
    record(RecordConfig(**plain, out=recipe.out / "recording", frames=other.frames))
    record(RecordConfig(**plain, out=recipe.out / "held", episodes=other.held, seed=UNSEEN))


def train(recipe: Recipe) -> None:
    """All stages."""
    where = [f"data={recipe.out / 'recording'}", f"out={recipe.model.parent}", f"name={recipe.out.name}"]
    training.main([*where, *recipe.other.train, *recipe.settings])


def prove(recipe: Recipe) -> None:
    """`eval.fidelity` on the recordings that were held back; its probe learns from the others."""
    places = recipe.out / "fidelity", recipe.out / "recording", recipe.out / "held"
    settings = of_two(recipe.model, *places, recipe.fast, *recipe.other.prove)
    fidelity.run(fidelity.read_settings(settings), wide_console())


def transferred(recipe: Recipe) -> None:
    """`eval.transfer`, with the real environment in the twin's place."""
    other, out = recipe.other, recipe.out / "transfer"
    overrides = [f"data={recipe.out / 'recording'}", f"dream={recipe.model}", f"out={out}"]
    overrides += [*FROM_NOTHING, *other.transfer, f"fast={str(recipe.fast).lower()}"]
    config = transfer.read_settings(composed("eval/transfer", *overrides))
    view = {"size": [SIDE, SIDE], "render": other.render}
    transfer.run(replace(config, env=other.env, env_kwargs=other.made, view=view), wide_console())


def agreed(recipe: Recipe) -> None:
    """`eval.agreement`, with the policies of `eval.transfer`."""
    overrides = [f"transfer={recipe.out / 'transfer'}", f"out={recipe.out / 'agreement'}", "planned=0"]
    agreement.run(agreement.read_settings(composed("eval/agreement", *overrides)), wide_console())


def main(
    name: Annotated[str, typer.Argument(help=", ".join(OTHERS))],
    only: Annotated[str | None, typer.Option(help=f"one part alone: {', '.join(PARTS)}")] = None,
    out: Annotated[Path, typer.Option(help="a folder for each environment goes here")] = Path("runs/outside"),
    workers: Annotated[int, typer.Option(help="processes that record")] = 2,
    fast: Annotated[bool, typer.Option(help="the proofs in small, to see that they run")] = False,
    settings: Annotated[list[str] | None, typer.Option("--set", "-s", help="a setting of configs/train.yaml")] = None,
) -> None:
    """A dream of an environment of others, and what training in it is worth."""
    for given, known in ((name, OTHERS), (only, PARTS)):
        if given is not None and given not in known:
            raise typer.BadParameter(f"{given!r} is none of {', '.join(known)}")
    recipe = Recipe(OTHERS[name], out / name, workers, fast, tuple(settings or ()))
    for part, work in zip(PARTS, (record_both, train, prove, transferred, agreed), strict=True):
        if only in (None, part):
            work(recipe)


if __name__ == "__main__":
    typer.run(main)
