"""The settings files of `configs/` as other programs read them."""

from __future__ import annotations

from pathlib import Path

from hydra import compose, initialize_config_module
from omegaconf import DictConfig


def composed(name: str, *overrides: str) -> DictConfig:
    """configs/<name>.yaml with Hydra overrides such as "out=runs/mine"."""
    with initialize_config_module("wmsim.configs", version_base=None):
        return compose(name, overrides=list(overrides))


def of_two(model: Path, out: Path, seen: Path, unseen: Path, fast: bool, *more: str) -> DictConfig:
    """Settings of `eval.fidelity` for `model` where there is no twin: it is held against the recording `unseen`, and
    the probe learns from `seen`.
    """
    evidence = {"twin": "", "data": unseen, "probe_data": seen}
    overrides = [f"dream={model}", f"out={out}", f"fast={str(fast).lower()}"]
    return composed("eval/fidelity", *overrides, *(f"evidence.{k}={v}" for k, v in evidence.items()), *more)
