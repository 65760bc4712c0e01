"""Road networks: closed loops on a jittered grid, their smooth centrelines, and lanes to drive along.

Shape legend: N points of a polyline, K queries. Metres and radians; x east, y north, yaw from x, + = left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Node = tuple[int, int]
Edge = tuple[Node, Node]

LANE_METRES = 3.5
"""Width of one lane; a road has two, and traffic keeps to the right."""
STEP_METRES = 0.5
"""Spacing of a lane's points."""


@dataclass(frozen=True)
class RoadConfig:
    """cells: the grid is cells x cells blocks; spacing and jitter of its nodes; bulge of its edges; corner radius."""

    cells: int = 3
    spacing_metres: float = 74.0
    jitter_metres: float = 9.0
    bulge_metres: float = 8.0
    corner_metres: float = 15.0


@dataclass(frozen=True)
class Network:
    """The centrelines: `cores` between crossings by edge, `corners` by node and its two neighbours, `arms` to a node.

    degree: node -> number of roads that meet there; loops: the closed walks over nodes that traffic follows.
    """

    cores: dict[Edge, Array]
    corners: dict[tuple[Node, Node, Node], Array]
    degree: dict[Node, int]
    loops: tuple[tuple[Node, ...], ...]
    extent: tuple[float, float]


class Lane:
    """A closed lane as points STEP_METRES apart, with interpolated pose and curvature at any arc length."""

    def __init__(self, points: Array) -> None:
        """points: (N, 2) along the lane's middle, closed (the last is not the first)."""
        self.points = points
        self.count = len(points)
        chord = np.roll(points, -1, 0) - np.roll(points, 1, 0)
        self.yaw: Array = np.arctan2(chord[:, 1], chord[:, 0])
        turn = wrap(np.roll(self.yaw, -1) - np.roll(self.yaw, 1))
        self.curvature: Array = turn / np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-6)
        self.length = float(self.count * STEP_METRES)
        self._table = LaneTable((self,))

    def at(self, s: Array | float) -> tuple[Array, Array, Array]:
        """Position (K, 2), yaw (K,) and curvature (K,) at arc lengths s, which wrap around."""
        return poses_on(self._table, np.zeros(1, np.int64), np.atleast_1d(np.asarray(s, np.float64)))

    def project(self, point: Array, near: float | None = None, window: float = 12.0) -> tuple[float, float]:
        """Arc length and left offset of the lane point nearest to `point`; within `window` metres of arc `near`."""
        if near is None:
            index = np.arange(self.count)
        else:
            reach = int(window / STEP_METRES)
            index = (int(near / STEP_METRES) + np.arange(-reach, reach + 1)) % self.count
        delta = point - self.points[index]
        best = int(np.argmin((delta * delta).sum(1)))
        i = int(index[best])
        along = delta[best, 0] * np.cos(self.yaw[i]) + delta[best, 1] * np.sin(self.yaw[i])
        left = -delta[best, 0] * np.sin(self.yaw[i]) + delta[best, 1] * np.cos(self.yaw[i])
        return float((i * STEP_METRES + along) % self.length), float(left)


class LaneTable:
    """The points of several lanes in one array, so that poses on all of them are found at once."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self.rows = np.concatenate([np.column_stack([lane.points, lane.yaw, lane.curvature]) for lane in lanes])
        self.count = np.array([lane.count for lane in lanes], np.int64)
        self.start = np.cumsum(self.count) - self.count


def poses_on(table: LaneTable, lane: NDArray[np.int64], s: Array) -> tuple[Array, Array, Array]:
    """Positions (..., 2), yaws and curvatures (...) at arc lengths s (...) of lanes, which wrap around."""
    place = s / STEP_METRES
    low = np.floor(place).astype(np.int64)
    part = (place - low)[..., None]
    start, count = table.start[lane], table.count[lane]
    before, after = table.rows[start + low % count], table.rows[start + (low + 1) % count]
    rise = after - before
    rise[..., 2] = wrap(rise[..., 2])
    found = before + rise * part
    return found[..., :2], wrap(found[..., 2]), found[..., 3]


def wrap(angle: Array) -> Array:
    """Angles folded into [-pi, pi)."""
    folded: Array = (np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi
    return folded


def offset(points: Array, left: float, closed: bool = False) -> Array:
    """A polyline (N, 2) moved `left` metres to its left."""
    chord = np.roll(points, -1, 0) - np.roll(points, 1, 0) if closed else np.gradient(points, axis=0)
    chord = chord / np.maximum(np.linalg.norm(chord, axis=1, keepdims=True), 1e-9)
    return points + left * np.stack([-chord[:, 1], chord[:, 0]], 1)


def resample(points: Array, step: float, closed: bool = False) -> Array:
    """A polyline with points evenly spaced, about `step` metres apart (rounded so that they divide it)."""
    path = np.concatenate([points, points[:1]]) if closed else points
    gaps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    path = path[np.concatenate([[True], gaps > 1e-9])]
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    count = max(round(float(arc[-1]) / step), 2)
    s = np.linspace(0, arc[-1], count + 1)
    s = s[:-1] if closed else s
    return np.stack([np.interp(s, arc, path[:, 0]), np.interp(s, arc, path[:, 1])], 1)


# --- the network ---------------------------------------------------------------------------------------------------


def make_network(rng: np.random.Generator, config: RoadConfig) -> Network:
    """Two closed loops on the grid, drawn from `rng`; every road belongs to a loop, so none ends blindly."""
    nodes = _nodes(rng, config)
    first = _loop(rng, config.cells, 3, 6)
    second = _loop(rng, config.cells, 1, 5)
    while set(map(_key, _walk(second))) == set(map(_key, _walk(first))):
        second = _loop(rng, config.cells, 1, 5)
    edges = sorted({_key(e) for loop in (first, second) for e in _walk(loop)})
    whole = {e: _edge_curve(rng, nodes[e[0]], nodes[e[1]], config) for e in edges}
    degree = {n: sum(n in e for e in edges) for e in edges for n in e}
    cut = int(config.corner_metres / STEP_METRES)
    cores = {e: curve[cut : len(curve) - cut] for e, curve in whole.items()}
    corners = {}
    for node in sorted(degree):
        around = sorted({a if b == node else b for a, b in edges if node in (a, b)})
        for i, a in enumerate(around):
            for b in around[i + 1 :]:
                corners[(node, a, b)] = _corner(_toward(cores, a, node), _toward(cores, b, node)[::-1])
    side = config.cells * config.spacing_metres
    return Network(cores, corners, degree, (first, second), (side, side))


def loop_lane(network: Network, loop: Sequence[Node], reverse: bool) -> Lane:
    """The right-hand lane along a closed walk over nodes."""
    walk = list(loop)[::-1] if reverse else list(loop)
    pieces = []
    for i, node in enumerate(walk):
        before, after = walk[i - 1], walk[(i + 1) % len(walk)]
        low, high = min(before, after), max(before, after)
        corner = network.corners[(node, low, high)]
        pieces.append(corner if before == low else corner[::-1])
        pieces.append(_toward(network.cores, node, after))
    centre = _smooth(resample(np.concatenate(pieces), STEP_METRES, closed=True), 4)
    right = resample(offset(centre, -LANE_METRES / 2, closed=True), 0.1, closed=True)
    return Lane(_smooth(resample(right, STEP_METRES, closed=True), 3))


def _smooth(points: Array, half: int) -> Array:
    kernel = np.hanning(2 * half + 3)[1:-1]
    kernel /= kernel.sum()
    around = np.concatenate([points[-half:], points, points[:half]])
    return np.stack([np.convolve(around[:, k], kernel, "valid") for k in range(2)], 1)


def _toward(cores: dict[Edge, Array], a: Node, b: Node) -> Array:
    """The core between two nodes, directed from a to b."""
    return cores[(a, b)] if (a, b) in cores else cores[(b, a)][::-1]


def _corner(into: Array, out: Array) -> Array:
    """A smooth cubic (Bezier) from the end of one core to the start of another, tangent to both."""
    p, q = into[-1], out[0]
    u, v = into[-1] - into[-2], out[1] - out[0]
    u, v = u / np.linalg.norm(u), v / np.linalg.norm(v)
    turn = np.arccos(np.clip(u @ v, -0.98, 1.0))
    handle = np.linalg.norm(q - p) * (
        4 / 3 * np.tan(turn / 4) / max(2 * np.sin(turn / 2), 1e-3) if turn > 0.05 else 1 / 3
    )
    t = np.linspace(0, 1, 41)[:, None]
    curve = (
        (1 - t) ** 3 * p + 3 * t * (1 - t) ** 2 * (p + handle * u) + 3 * t**2 * (1 - t) * (q - handle * v) + t**3 * q
    )
    return resample(curve, STEP_METRES)


def _edge_curve(rng: np.random.Generator, a: Array, b: Array, config: RoadConfig) -> Array:
    along = b - a
    normal = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    middle = (a + b) / 2 + normal * rng.uniform(-1, 1) * 2 * config.bulge_metres
    t = np.linspace(0, 1, 81)[:, None]
    return resample((1 - t) ** 2 * a + 2 * t * (1 - t) * middle + t**2 * b, STEP_METRES)


def _nodes(rng: np.random.Generator, config: RoadConfig) -> dict[Node, Array]:
    jitter = rng.uniform(-config.jitter_metres, config.jitter_metres, (config.cells + 1, config.cells + 1, 2))
    half = config.cells * config.spacing_metres / 2
    side = range(config.cells + 1)
    return {(i, j): np.array([i, j]) * config.spacing_metres - half + jitter[i, j] for i in side for j in side}


def _key(edge: Edge) -> Edge:
    return (min(edge), max(edge))


def _walk(loop: Sequence[Node]) -> list[Edge]:
    return [(loop[i], loop[(i + 1) % len(loop)]) for i in range(len(loop))]


def _loop(rng: np.random.Generator, cells: int, low: int, high: int) -> tuple[Node, ...]:
    """The outline of a random connected patch of blocks, as a counter-clockwise walk that visits no node twice."""
    while True:
        size = int(rng.integers(low, high + 1))
        patch = {(int(rng.integers(cells)), int(rng.integers(cells)))}
        while len(patch) < size:
            x, y = sorted(patch)[int(rng.integers(len(patch)))]
            dx, dy = ((1, 0), (-1, 0), (0, 1), (0, -1))[int(rng.integers(4))]
            if 0 <= x + dx < cells and 0 <= y + dy < cells:
                patch.add((x + dx, y + dy))
        outline = _outline(patch)
        if outline is not None:
            return outline


def _outline(patch: set[Node]) -> tuple[Node, ...] | None:
    """The walk around a patch of blocks; None when it has a hole or touches itself in a point."""
    follow: dict[Node, Node] = {}
    for x, y in patch:
        ring = ((x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1))
        beyond = ((x, y - 1), (x + 1, y), (x, y + 1), (x - 1, y))
        for i in range(4):
            if beyond[i] not in patch:
                if ring[i] in follow:
                    return None
                follow[ring[i]] = ring[(i + 1) % 4]
    start = min(follow)
    walk = [start]
    while follow[walk[-1]] != start:
        walk.append(follow[walk[-1]])
    return tuple(walk) if len(walk) == len(follow) else None
