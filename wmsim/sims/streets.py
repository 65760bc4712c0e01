"""Paints a road network as a class map: pavements, kerbs, lanes, centre lines, edge lines, stop lines and crossings.

Shape legend: N points of a polyline; the map is SIDE x SIDE texels, row 0 in the south.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wmsim.sims.roads import LANE_METRES, STEP_METRES, Array, Network, offset

CLASSES = (
    "sky", "grass", "road", "marking", "kerb", "pavement", "bay", "building", "tree", "parked", "traffic",
    "pedestrian", "works",
)  # fmt: skip
"""Segmentation ids, by position."""
SKY, GRASS, ROAD, MARKING, KERB, PAVEMENT, BAY, BUILDING, TREE, PARKED, TRAFFIC, PEDESTRIAN, WORKS = range(len(CLASSES))

PAVED = (ROAD, MARKING, KERB, PAVEMENT, BAY)
"""What a car may stand on without having left the road."""

PAVEMENT_METRES = 3.0
KERB_METRES = 0.35
SIDE = 4096


class StreetPainter:
    """Draws classes in metres on a square map around the origin."""

    def __init__(self, metres: float) -> None:
        self._image = Image.new("L", (SIDE, SIDE), GRASS)
        self._draw = ImageDraw.Draw(self._image)
        self._metres = metres

    def polygon(self, points: Array, value: int) -> None:
        """Fill a polygon (N, 2) with a class."""
        pixels = (points + self._metres / 2) * (SIDE / self._metres) - 0.5
        self._draw.polygon([(float(x), float(y)) for x, y in pixels], fill=value)

    def stroke(self, line: Array, low: float, high: float, value: int) -> None:
        """Fill the strip along a polyline from `low` to `high` metres left of it."""
        self.polygon(np.concatenate([offset(line, low), offset(line, high)[::-1]]), value)

    def classes(self) -> NDArray[np.uint8]:
        """The map (SIDE, SIDE)."""
        return np.asarray(self._image).copy()


def paint_streets(network: Network, painter: StreetPainter, rng: np.random.Generator, dashed: bool) -> None:
    """Everything painted of a network; `rng` decides which arms have a zebra crossing."""
    streets = [*network.cores.values(), *network.corners.values(), *_hearts(network)]
    half = LANE_METRES + 0.1
    for wide, value in ((half + KERB_METRES + PAVEMENT_METRES, PAVEMENT), (half + KERB_METRES, KERB), (half, ROAD)):
        for line in streets:
            painter.stroke(_longer(line), -wide, wide, value)
    for (a, b), line in network.cores.items():
        head = _arm(painter, rng, line) if network.degree[a] > 2 else 0
        tail = _arm(painter, rng, line[::-1]) if network.degree[b] > 2 else 0
        _lines(painter, line[head : len(line) - tail], dashed)
    for (node, _, _), line in network.corners.items():
        if network.degree[node] == 2:
            _lines(painter, line, dashed)


def _hearts(network: Network) -> list[Array]:
    """At crossings, straight pieces from each arm's mouth to the middle, so that no grass is left between corners."""
    pieces = []
    for node in sorted(n for n, d in network.degree.items() if d > 2):
        mouths = [line[0] if e[0] == node else line[-1] for e, line in network.cores.items() if node in e]
        middle = np.mean(mouths, 0)
        pieces += [np.linspace(mouth, middle, 12) for mouth in mouths]
    return pieces


def _longer(line: Array) -> Array:
    """The polyline with its ends drawn out a little, so that neighbouring strokes overlap."""
    return np.concatenate([[line[0] - 0.5 * (line[1] - line[0])], line, [line[-1] + 0.5 * (line[-1] - line[-2])]])


def _lines(painter: StreetPainter, line: Array, dashed: bool) -> None:
    edge = LANE_METRES - 0.25
    for side in (-edge, edge):
        painter.stroke(_longer(line), side - 0.12, side + 0.12, MARKING)
    if not dashed:
        painter.stroke(_longer(line), -0.13, 0.13, MARKING)
        return
    dash, period = int(3 / STEP_METRES), int(6 / STEP_METRES)
    for start in range(0, len(line) - dash, period):
        painter.stroke(line[start : start + dash + 1], -0.13, 0.13, MARKING)


def _arm(painter: StreetPainter, rng: np.random.Generator, line: Array) -> int:
    """A stop line, and perhaps a zebra crossing, at the start of `line`; returns how many points they take."""
    zebra = rng.random() < 0.75
    if zebra:
        crossing = line[2:9]
        for left in np.arange(-LANE_METRES + 0.35, LANE_METRES - 0.3, 1.0):
            painter.stroke(crossing, left, left + 0.55, MARKING)
    stop = 11 if zebra else 2
    painter.stroke(line[stop : stop + 2], 0.15, LANE_METRES - 0.15, MARKING)
    return stop + 1


def rectangle(place: Array, along: float, across: float) -> Array:
    """Corners (4, 2) of a rectangle around place (x, y, yaw) with these half sizes."""
    c, s = np.cos(place[2]), np.sin(place[2])
    corners = np.array([[along, across], [-along, across], [-along, -across], [along, -across]])
    turned: Array = place[:2] + corners @ np.array([[c, s], [-s, c]])
    return turned
