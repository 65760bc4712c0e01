"""How steps, controls and starts travel: as nested dicts of arrays, which Ray carries without turning them into text.

A small message is packed into one buffer, because Ray's own serialisation costs more for each array than a small frame
weighs; a large one stays a dict of arrays, which Ray lays into shared memory and the receiver reads without a copy.
Parts are nested dicts whose leaves have one row a slot: arrays and lists; None and text stand for all rows.

Shape legend: n rows, T frames, H x W pixels.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import msgpack
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wmsim.control import Control
from wmsim.world import Start, Step

SMALL_BYTES = 64_000
"""Messages up to this size are packed; Ray keeps results below 100 kB out of shared memory anyway."""

Parts = dict[str, Any]
Message = bytes | Parts
Frozen = list[NDArray[np.uint8]]
"""A state that travels: a head, and the content of every array in it, which Ray writes into shared memory as it is."""

_ARRAY = 1
_NUMBERS = ("reward", "terminated", "proprio", "uncertainty")
_KINDS = ("buttons", "look", "camera", "robot")


def pack(message: Parts) -> Message:
    """`message` as one buffer when it is small and holds numbers, text and arrays only; else as it is."""
    if _weight(message) > SMALL_BYTES:
        return message
    try:
        packed: bytes = msgpack.packb(message, default=_packed)
    except (TypeError, OverflowError):
        return message
    return packed


def unpack(message: Message) -> Parts:
    """What was packed; arrays are read-only views of the message."""
    if isinstance(message, bytes):
        parts: Parts = msgpack.unpackb(message, ext_hook=_unpacked, strict_map_key=False)
        return parts
    return message


def _packed(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray) or value.dtype.hasobject or value.dtype.names:
        raise TypeError(f"a {type(value).__name__} travels by Ray's own serialisation")
    return msgpack.ExtType(_ARRAY, msgpack.packb((value.dtype.str, value.shape, value.tobytes())))


def _unpacked(code: int, data: bytes) -> NDArray[Any]:
    assert code == _ARRAY, code
    dtype, shape, content = msgpack.unpackb(data)
    return np.frombuffer(content, dtype).reshape(shape)


def _weight(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_weight, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_weight, value))
    return value.nbytes if isinstance(value, np.ndarray) else len(value) if isinstance(value, bytes) else 8


# --- rows ------------------------------------------------------------------------------------------------------------


def pick(parts: Any, rows: Sequence[int]) -> Any:
    """Copies of some rows of every leaf."""
    if isinstance(parts, dict):
        return {name: pick(value, rows) for name, value in parts.items()}
    if isinstance(parts, np.ndarray):
        return parts[list(rows)]
    return [parts[row] for row in rows] if isinstance(parts, list | tuple) else parts


def join(several: Sequence[Any]) -> Any:
    """The rows of several parts of the same build, one after the other."""
    first = several[0]
    if len(several) == 1:
        return first
    if isinstance(first, dict):
        return {name: join([parts[name] for parts in several]) for name in first}
    if isinstance(first, np.ndarray):
        return np.concatenate(several)
    return [row for rows in several for row in rows] if isinstance(first, list | tuple) else first


def build(parts: Any) -> Any:
    """What parts must share to be joined: names, and the type and shape of a row."""
    if isinstance(parts, dict):
        return tuple((name, build(value)) for name, value in sorted(parts.items()))
    if isinstance(parts, np.ndarray):
        return parts.dtype.str, parts.shape[1:]
    return "rows" if isinstance(parts, list | tuple) else parts


# --- what travels ----------------------------------------------------------------------------------------------------


def of_step(step: Step) -> Parts:
    """A step's parts, on the host."""
    info = {name: value for name, value in step.info.items() if isinstance(value, Tensor)}
    return {
        "frames": {name: _host(shown) for name, shown in step.frames.items()},
        **{name: _host(getattr(step, name)) for name in _NUMBERS},
        "info": {name: _host(value) for name, value in info.items()},
        "arrays": {name: value for name, value in step.info.items() if name not in info},
    }


def to_step(parts: Parts, device: torch.device) -> Step:
    """The step of these parts, its tensors fresh and on `device`."""
    tensor = _putter(device)
    return Step(
        frames={name: tensor(shown) for name, shown in parts["frames"].items()},
        **{name: tensor(parts[name]) for name in _NUMBERS},
        info={name: tensor(value) for name, value in parts["info"].items()} | _fresh(parts["arrays"]),
    )


def of_control(control: Control | None) -> Parts | None:
    """A control's parts; None for none."""
    if control is None:
        return None
    event = None if control.event is None else list(control.event)
    return {kind: _host(getattr(control, kind)) for kind in _KINDS} | {"domain": control.domain, "event": event}


def to_control(parts: Parts | None) -> Control | None:
    """The control of these parts, on the host."""
    if parts is None:
        return None
    event = None if parts["event"] is None else tuple(parts["event"])
    tensor = _putter(torch.device("cpu"))
    return Control(**{kind: tensor(parts[kind]) for kind in _KINDS}, domain=parts["domain"], event=event)


def of_start(start: Start | None) -> Parts | None:
    """The parts of start frames; None for none."""
    if start is None:
        return None
    frames = {name: _host(shown) for name, shown in start.frames.items()}
    return {"frames": frames, "control": of_control(start.control), "proprio": _host(start.proprio)}


def to_start(parts: Parts | None, device: torch.device) -> Start | None:
    """The start of these parts, its frames on `device`."""
    if parts is None:
        return None
    tensor = _putter(device)
    frames = {name: tensor(shown) for name, shown in parts["frames"].items()}
    return Start(frames, to_control(parts["control"]), tensor(parts["proprio"]))


def freeze(state: Any) -> Frozen:
    """One slot's state, or a spec, as arrays, the tensors in it uncopied where they lie on the host already."""
    head, parts = BytesIO(), list[pickle.PickleBuffer]()
    _Pickler(head, 5, buffer_callback=parts.append).dump(state)
    return [np.frombuffer(part, np.uint8) for part in (head.getbuffer(), *(part.raw() for part in parts))]


def thaw(frozen: Frozen) -> Any:
    """What `freeze` was given, its tensors fresh and on the host; frozen: of this pool and its own clients."""
    head, *parts = frozen
    return pickle.loads(head.data, buffers=[bytearray(part.data) for part in parts])


class _Pickler(pickle.Pickler):
    """Takes tensors as arrays: torch's own way writes an archive for each, which costs more than the snapshot."""

    def reducer_override(self, obj: Any) -> Any:
        """How a tensor comes back, on the host so that a machine without a GPU can read it."""
        if not isinstance(obj, Tensor):
            return NotImplemented
        whole = obj.detach().cpu().contiguous()
        return _tensor, (whole.view(-1).view(torch.uint8).numpy(), whole.dtype, whole.shape)


def _tensor(content: NDArray[np.uint8], dtype: torch.dtype, shape: torch.Size) -> Tensor:
    return torch.from_numpy(content).view(dtype).view(shape)


def _host(tensor: Tensor | None) -> NDArray[Any] | None:
    if tensor is None:
        return None
    found: NDArray[Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).detach().cpu().numpy()
    return found


def _putter(device: torch.device) -> Callable[[NDArray[Any] | None], Any]:
    """Arrays to tensors: what arrives is read-only, or shared with other readers, so the tensor gets a copy."""

    def put(array: NDArray[Any] | None) -> Any:
        return None if array is None else torch.from_numpy(np.array(array)).to(device)

    return put


def _fresh(arrays: Parts) -> Parts:
    return {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in arrays.items()}
