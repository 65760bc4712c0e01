"""Policies as ONNX files: the network with its preprocessing, and in the metadata the spaces it was trained in.

Shape legend: n slots asked for, N slots in all, C actions of a chunk.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from wmsim.policy.protocol import imported, need_slots

Space = spaces.Space[Any]
FORMAT = 1
_KEY, _SOLE, _STATE = "wmsim.policy", "observation", "state"


def save_policy(
    network: nn.Module, path: str | Path, observation: Space, action: Space, state: Tensor | None = None
) -> None:
    """Write `network` as an ONNX file that `OnnxPolicy` reads; the file appears when it is complete.

    network: called with a batch of each part of the observation as the environment gives it (images are uint8), in the
    space's order, and with the state where there is one; returns actions (n, C, ...) in the action space's own units,
    and after them the next state. state: of one slot at the beginning of an episode, without a batch axis; it must be
    zeros. ValueError: a state that is not, spaces other than Box, Discrete, MultiDiscrete, MultiBinary and Dict of
    Boxes, or a file that does not answer as the network does.
    """
    onnx_export()
    if state is not None and bool(state.any()):
        raise ValueError("an episode begins with a state of zeros: let the network add what it begins from")
    note = {"format": FORMAT, "observation": describe(observation), "action": describe(action)}
    names = [*parts_of(observation), *([] if state is None else [_STATE])]
    given = [*sample_of(observation, 2), *([] if state is None else [torch.stack([state, state])])]
    network = network.cpu().eval()
    with warnings.catch_warnings():  # torch's exporter trips over deprecations of its own
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            tuple(given),
            input_names=names,
            output_names=["action", *([] if state is None else ["next_state"])],
            dynamic_shapes=tuple({0: torch.export.Dim("n")} for _ in given),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props[_KEY] = json.dumps(note)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    program.save(partial, external_data=False)
    _compare(network, partial, names, sample_of(observation, 3), state)
    partial.replace(path)


def _compare(network: nn.Module, path: Path, names: Sequence[str], seen: list[Tensor], state: Tensor | None) -> None:
    given = [*seen, *([] if state is None else [torch.stack([state] * 3)])]
    with torch.no_grad():
        wanted = network(*given)
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    feeds = {name: tensor.numpy() for name, tensor in zip(names, given, strict=True)}
    for made, right in zip(_session(path, None).run(None, feeds), wanted, strict=True):
        if made.shape != tuple(right.shape) or not np.allclose(made, right.numpy(), atol=1e-3, rtol=1e-3):
            path.unlink()
            raise ValueError("the exported file answers otherwise than the network: is it free of chance and of state?")


class OnnxPolicy:
    """A policy file in onnxruntime; a recurrent one keeps a state for each slot."""

    def __init__(self, path: str | Path, slots: int = 1, providers: Sequence[str] | None = None) -> None:
        """providers: of onnxruntime, the first that works is taken; None: a GPU where its build has one, else the CPU.

        FileNotFoundError; ValueError: damaged, or not written by `save_policy`; ImportError: onnxruntime is missing.
        """
        need_slots(slots)
        self._session = _session(Path(path), providers)
        note = self._session.get_modelmeta().custom_metadata_map.get(_KEY)
        if note is None:
            raise ValueError(f"{path} does not tell its spaces: write policies with wmsim.policy.save_policy")
        plain = json.loads(note)
        if plain["format"] > FORMAT:
            raise ValueError(f"{path} has format {plain['format']}, this wmsim reads up to {FORMAT}: update wmsim")
        self.observation_space, self.action_space = restore(plain["observation"]), restore(plain["action"])
        state = [i for i in self._session.get_inputs() if i.name == _STATE]
        self._state = np.zeros((slots, *state[0].shape[1:]), np.float32) if state else None
        self._slots = slots

    def check(self, observation: Space, action: Space) -> None:
        """ValueError when the spaces of an environment (of one slot) are not those that the policy was trained in."""
        for name, own, theirs in (
            ("observations", self.observation_space, observation),
            ("actions", self.action_space, action),
        ):
            if describe(own) != describe(theirs):
                raise ValueError(f"the policy's {name} are {own}, the environment's are {theirs}")

    def reset(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Begin with a state of zeros; a policy file draws nothing, so the seeds are not used."""
        if self._state is not None:
            self._state[list(rows)] = 0

    def act(self, rows: Sequence[int], observation: Any, info: Mapping[str, Any]) -> NDArray[Any]:
        """(n, C, ...) inside the action space. ValueError: observations of another shape."""
        feeds = {name: self._seen(name, observation, len(rows)) for name in parts_of(self.observation_space)}
        if self._state is not None:
            feeds[_STATE] = self._state[list(rows)]
        action, *after = self._session.run(None, feeds)
        if self._state is not None:
            self._state[list(rows)] = after[0]
        if isinstance(self.action_space, spaces.Box):
            action = np.clip(action, self.action_space.low, self.action_space.high)
        return np.asarray(action, self.action_space.dtype)

    def _seen(self, name: str, observation: Any, rows: int) -> NDArray[Any]:
        space = self.observation_space
        part, value = (space, observation) if name == _SOLE else (_part(space, name), observation[name])
        array = value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        if array.shape != (rows, *(part.shape or ())):
            raise ValueError(f"{name} of {rows} slots has shape {(rows, *(part.shape or ()))}, got {array.shape}")
        return array.astype(part.dtype, copy=False)


def _session(path: Path, providers: Sequence[str] | None) -> Any:
    runtime = _imported("onnxruntime")
    if not path.is_file():
        raise FileNotFoundError(f"there is no policy at {path}")
    wanted = [p for p in ("CUDAExecutionProvider", "CPUExecutionProvider") if p in runtime.get_available_providers()]
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=list(providers or wanted))
    except Exception as fault:  # onnxruntime's errors share no base class but this
        raise ValueError(f"{path} is no ONNX file that onnxruntime can run: {fault}") from fault


def onnx_export() -> None:
    """ImportError, with what to install, where policies cannot be written."""
    _imported("onnxruntime")
    _imported("onnxscript")


def _imported(name: str) -> Any:
    return imported(name, "policy files")


# --- spaces as JSON ------------------------------------------------------------------------------------------------


def parts_of(space: Space) -> list[str]:
    """Names of the inputs that an observation space feeds: its keys, or "observation" alone."""
    return list(space) if isinstance(space, spaces.Dict) else [_SOLE]


def _part(space: Space, name: str) -> Space:
    return space[name] if isinstance(space, spaces.Dict) else space


def sample_of(space: Space, rows: int) -> list[Tensor]:
    """A batch of zeros and of the space's own samples for each part, as tensors."""
    found = []
    for name in parts_of(space):
        part = _part(space, name)
        part.seed(0)
        found.append(torch.from_numpy(np.stack([np.asarray(part.sample()) for _ in range(rows)])))
    return found


def describe(space: Space) -> dict[str, Any]:
    """A space as plain JSON; ValueError for kinds that policies do not take."""
    if isinstance(space, spaces.Dict):
        return {"kind": "Dict", "parts": {name: describe(part) for name, part in space.items()}}
    if isinstance(space, spaces.Box):
        low, high = ([float(v) for v in bound.flat] for bound in (space.low, space.high))
        same = len({*low}) <= 1 and len({*high}) <= 1
        bounds = {"low": low[:1], "high": high[:1]} if same else {"low": low, "high": high}
        return {"kind": "Box", "shape": list(space.shape), "dtype": str(space.dtype), **bounds}
    if isinstance(space, spaces.Discrete):
        return {"kind": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"kind": "MultiDiscrete", "nvec": space.nvec.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"kind": "MultiBinary", "n": np.asarray(space.n).tolist()}
    raise ValueError(f"policies take Box, Discrete, MultiDiscrete, MultiBinary and Dict spaces, got {space}")


def restore(plain: Mapping[str, Any]) -> Space:
    """The inverse of `describe`."""
    match plain["kind"]:
        case "Dict":
            return spaces.Dict({name: restore(part) for name, part in plain["parts"].items()})
        case "Box":
            shape, dtype = tuple(plain["shape"]), np.dtype(plain["dtype"])
            low, high = (np.broadcast_to(np.array(plain[b]), _flat(shape)).reshape(shape) for b in ("low", "high"))
            kind: Any = dtype.type
            return spaces.Box(low.astype(dtype), high.astype(dtype), dtype=kind)
        case "Discrete":
            return spaces.Discrete(plain["n"], start=plain["start"])
        case "MultiDiscrete":
            return spaces.MultiDiscrete(plain["nvec"])
        case _:
            return spaces.MultiBinary(plain["n"])


def _flat(shape: tuple[int, ...]) -> tuple[int]:
    return (int(np.prod(shape)),)
