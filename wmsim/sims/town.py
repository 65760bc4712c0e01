"""Procedural towns: a seed gives closed roads, buildings, trees, parked cars, light, surface and the MuJoCo model.

Shape legend: G geoms. Metres; x east, y north, z up; yaw from x, + = left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import mujoco
import numpy as np
from numpy.typing import NDArray

from wmsim.sims import streets
from wmsim.sims.car import TIMESTEP, ego_xml
from wmsim.sims.ground import GroundMap
from wmsim.sims.props import HIDDEN_METRES, PROPS, Part
from wmsim.sims.raycast import Scene
from wmsim.sims.roads import LANE_METRES, STEP_METRES, Array, Lane, Network, RoadConfig, loop_lane, make_network, offset
from wmsim.sims.shading import Materials
from wmsim.sims.weather import hue, light_of, palette_of, surface_of

_EDGE = LANE_METRES + 0.1 + streets.KERB_METRES
"""From a road's middle to the outer side of its kerb."""
_WINDOWS, _BODY, _CABIN, _LEAVES = range(1, 5)
_CARS = (
    (2.1, 0.88, 0.38, 0.28, 1.1, -0.15),
    (2.15, 0.9, 0.4, 0.3, 1.5, -0.5),
    (2.3, 0.95, 0.5, 0.5, 1.8, -0.4),
)
"""Saloon, estate, van: half length, half width, half heights of body and cabin, half length and middle of the cabin."""


@dataclass(frozen=True)
class TownConfig:
    """How full a town is: traffic cars, parked cars, metres between trees, and metres of ground around the roads."""

    roads: RoadConfig = field(default_factory=RoadConfig)
    traffic: int = 9
    parked: int = 14
    tree_metres: float = 17.0
    margin_metres: float = 45.0


@dataclass(frozen=True)
class Town:
    """model: what physics needs; view, view_mjcf: what can be seen, as a model and as text; lanes: one closed lane per
    loop and direction; friction: of the tyres on this surface; parked: (K, 3) x, y, yaw; buildings: (B, 5) x, y, yaw
    and half sizes along and across; traffic: number of moving cars, mocap bodies in both models, before the props."""

    model: mujoco.MjModel
    view: mujoco.MjModel
    view_mjcf: str
    scene: Scene
    ground: GroundMap
    network: Network
    lanes: tuple[Lane, ...]
    friction: float
    parked: Array
    buildings: Array
    traffic: int


@dataclass
class _Builder:
    """Collects geoms as MJCF text together with their looks, by geom name."""

    rng: np.random.Generator
    xml: list[str] = field(default_factory=list)
    looks: dict[str, tuple[Array, Array, int, tuple[float, float], int]] = field(default_factory=dict)

    def geom(
        self, kind: str, place: Array, size: tuple[float, ...], colour: Array, label: int, *,
        pattern: int = 0, second: Array | None = None, period: tuple[float, float] = (1.0, 1.0), solid: bool = True,
    ) -> None:  # fmt: skip
        """One geom at place (4,): x, y, z, yaw."""
        name = f"g{len(self.looks)}"
        self.looks[name] = (colour, colour if second is None else second, pattern, period, label)
        bits = 'contype="2" conaffinity="1"' if solid else 'contype="0" conaffinity="0"'
        x, y, z, yaw = place
        self.xml.append(
            f'<geom name="{name}" type="{kind}" size="{" ".join(f"{s:.4f}" for s in size)}" '
            f'pos="{x:.4f} {y:.4f} {z:.4f}" euler="0 0 {yaw:.5f}" {bits}/>'
        )


class _Space:
    """Which square half-metres are taken, so that nothing stands in a road or in something else."""

    def __init__(self, ground: NDArray[np.uint8], metres: float) -> None:
        self._taken = ground[8::16, 8::16] != streets.GRASS
        self._metres, self._side = metres, len(self._taken)

    def take(self, place: Array, along: float, across: float) -> bool:
        """Claim a rectangle around place (x, y, yaw) with these half sizes; False, and nothing, if any is taken."""
        a, b = np.meshgrid(np.arange(-along, along + 0.3, 0.5), np.arange(-across, across + 0.3, 0.5))
        c, s = np.cos(place[2]), np.sin(place[2])
        x, y = place[0] + c * a - s * b, place[1] + s * a + c * b
        column = ((x + self._metres / 2) / self._metres * self._side).astype(int)
        row = ((y + self._metres / 2) / self._metres * self._side).astype(int)
        inside = (column >= 0) & (row >= 0) & (column < self._side) & (row < self._side)
        if not inside.all() or self._taken[row, column].any():
            return False
        self._taken[row, column] = True
        return True


def make_town(seed: int, config: TownConfig | None = None) -> Town:
    """The town of a seed; config None: the one that ships."""
    config = config or TownConfig()
    rng = np.random.default_rng([seed, 0x70])
    network = make_network(rng, config.roads)
    metres = network.extent[0] + 2 * config.margin_metres
    painter = streets.StreetPainter(metres)
    streets.paint_streets(network, painter, rng, dashed=bool(rng.random() < 0.85))
    builder = _Builder(rng)
    parked = _park(builder, painter, network, config)
    classes = painter.classes()
    space = _Space(classes, metres)
    buildings = _build(builder, space, network)
    _plant(builder, space, network, config)
    cars = _traffic_xml(builder, config.traffic) + _props_xml(builder)
    friction, asphalt = surface_of(rng)
    ground = GroundMap(classes, palette_of(rng, asphalt), metres)
    model = mujoco.MjModel.from_xml_string(_document(builder, _kerbs(network), cars, friction))
    looks = _view_document(builder, cars)
    view = mujoco.MjModel.from_xml_string(looks)
    scene = Scene(_materials(view, builder), light_of(rng), ground, streets.SKY)
    lanes = tuple(loop_lane(network, loop, reverse) for loop in network.loops for reverse in (False, True))
    return Town(model, view, looks, scene, ground, network, lanes, friction, parked, buildings, config.traffic)


# --- what stands in the town ---------------------------------------------------------------------------------------


def _park(builder: _Builder, painter: streets.StreetPainter, network: Network, config: TownConfig) -> Array:
    """Parked cars in bays cut into the pavement, mostly in rows of two or three."""
    rng = builder.rng
    places: list[Array] = []
    cores = list(network.cores.values())
    while len(places) < config.parked:
        line = cores[int(rng.integers(len(cores)))]
        side = 1 if rng.random() < 0.5 else -1
        middle = offset(line, side * (_EDGE + 1.0))
        start = int(rng.integers(16, max(len(line) - 48, 17)))
        for k in range(start, min(start + 14 * int(rng.integers(1, 4)), len(line) - 20), 14):
            chord = middle[k + 1] - middle[k - 1]
            yaw = float(np.arctan2(chord[1], chord[0])) + (0.0 if side < 0 else np.pi)
            here = np.array([*middle[k], yaw])
            if all(np.hypot(*(here - other)[:2]) > 5.5 for other in places):
                painter.polygon(streets.rectangle(here, 3.2, 1.15), streets.BAY)
                places.append(here)
    for here in places:
        _car_geoms(builder, np.array([here[0], here[1], 0, here[2]]), streets.PARKED)
    return np.array(places)


def _car_geoms(builder: _Builder, place: Array, label: int) -> None:
    """Body and cabin of a car standing at place (x, y, z, yaw): a saloon, an estate or a van."""
    rng = builder.rng
    paint = hue(rng, 0.0, 1.0, 0.55, 0.9, 0.5, 0.9) if rng.random() < 0.65 else np.full(3, rng.choice([0.15, 0.5, 0.9]))
    length, width, body, cabin, reach, back = _CARS[int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
    x, y, z, yaw = place
    glass = np.array([0.16, 0.2, 0.26])
    low, high = z + 0.22 + body, z + 0.22 + 2 * body + cabin
    builder.geom("box", np.array([x, y, low, yaw]), (length, width, body), paint, label, pattern=_BODY)
    cx, cy = x + back * np.cos(yaw), y + back * np.sin(yaw)
    builder.geom(
        "box", np.array([cx, cy, high, yaw]), (reach, width * 0.9, cabin), paint, label,
        pattern=_CABIN, second=glass, solid=False,
    )  # fmt: skip


def _build(builder: _Builder, space: _Space, network: Network) -> Array:
    """Rows of buildings on both sides of every road, behind the pavement."""
    rng, placed = builder.rng, []
    for line in [*network.cores.values(), *network.corners.values()]:
        for side in (1, -1):
            s = rng.uniform(2, 8)
            while s < len(line) * STEP_METRES - 3:
                along, across = rng.uniform(4, 9), rng.uniform(4, 7)
                k = min(int((s + along * 0.8) / STEP_METRES), len(line) - 2)
                chord = line[k + 1] - line[k - 1]
                yaw = float(np.arctan2(chord[1], chord[0]))
                back = side * (_EDGE + streets.PAVEMENT_METRES + rng.uniform(0.8, 5) + across)
                middle = line[k] + back * np.array([-np.sin(yaw), np.cos(yaw)])
                place = np.array([*middle, yaw])
                if rng.random() < 0.93 and space.take(place, along, across):
                    _house(builder, place, along, across)
                    placed.append([*place, along, across])
                s += 2 * along + rng.uniform(1, 5)
    return np.array(placed)


def _house(builder: _Builder, place: Array, along: float, across: float) -> None:
    rng = builder.rng
    storeys = int(rng.integers(1, 6))
    period = (float(rng.uniform(2.2, 3.6)), float(rng.uniform(2.8, 3.4)))
    height = storeys * period[1] / 2 + 0.4
    warm = rng.random() < 0.7
    wall = hue(rng, 0.0, 0.14, 0.15, 0.6, 0.55, 0.95) if warm else hue(rng, 0.5, 0.7, 0.1, 0.35, 0.5, 0.85)
    pane = hue(rng, 0.55, 0.62, 0.3, 0.5, 0.25, 0.5)
    at = np.array([place[0], place[1], height, place[2]])
    size = (along, across, height)
    builder.geom("box", at, size, wall, streets.BUILDING, pattern=_WINDOWS, second=pane, period=period)
    if storeys <= 3 and rng.random() < 0.7:
        roof = hue(rng, 0.98, 1.06, 0.4, 0.7, 0.35, 0.6)
        top = np.array([place[0], place[1], 2 * height + 0.6, place[2]])
        builder.geom("box", top, (along * 0.86, across * 0.8, 0.7), roof, streets.BUILDING, solid=False)


def _plant(builder: _Builder, space: _Space, network: Network, config: TownConfig) -> None:
    """Trees behind the pavements, and some in the open."""
    rng = builder.rng
    spots = []
    for line in network.cores.values():
        for side in (1, -1):
            edge = offset(line, side * (_EDGE + streets.PAVEMENT_METRES + 1.2))
            step = int(config.tree_metres / STEP_METRES)
            spots += [edge[k] for k in range(int(rng.integers(2, 20)), len(edge), step)]
    half = network.extent[0] / 2 + 20
    spots += list(rng.uniform(-half, half, (40, 2)))
    for spot in spots:
        radius = rng.uniform(1.4, 2.6)
        spot = spot + rng.uniform(-0.3, 0.3, 2)
        if rng.random() < 0.75 and space.take(np.array([*spot, 0.0]), 0.6, 0.6):
            _tree(builder, spot, radius)


def _tree(builder: _Builder, spot: Array, radius: float) -> None:
    """A trunk to crash into and a crown of this radius, green or autumnal."""
    rng = builder.rng
    green = rng.random() < 0.85
    leaf = hue(rng, 0.2, 0.36, 0.45, 0.75, 0.28, 0.45) if green else hue(rng, 0.05, 0.12, 0.6, 0.8, 0.5, 0.7)
    trunk = rng.uniform(0.9, 1.4)
    bark = np.array([0.36, 0.26, 0.18])
    builder.geom("cylinder", np.array([*spot, trunk, 0.0]), (0.22, trunk), bark, streets.TREE)
    top = np.array([*spot, 2 * trunk + 0.8 * radius, rng.uniform(0, 3)])
    size, light = (radius, radius, radius * rng.uniform(0.9, 1.4)), np.minimum(leaf * 1.5, 1)
    builder.geom("ellipsoid", top, size, leaf, streets.TREE, pattern=_LEAVES, second=light, solid=False)


# --- the model -----------------------------------------------------------------------------------------------------


def _traffic_xml(builder: _Builder, count: int) -> str:
    """Moving cars as mocap bodies: they follow their lanes and can be run into, but nothing pushes them."""
    bodies = []
    for i in range(count):
        keep, builder.xml = builder.xml, []
        _car_geoms(builder, np.zeros(4), streets.TRAFFIC)
        bodies.append(_mocap(f"traffic{i}", -20.0 - 5 * i, builder.xml))
        builder.xml = keep
    return "".join(bodies)


def _props_xml(builder: _Builder) -> str:
    """What events may bring, far below the road until they do."""
    bodies = []
    for name, parts in PROPS.items():
        keep, builder.xml = builder.xml, []
        for part in parts:
            _prop_geom(builder, part)
        bodies.append(_mocap(name, HIDDEN_METRES, builder.xml))
        builder.xml = keep
    return "".join(bodies)


def _prop_geom(builder: _Builder, part: Part) -> None:
    builder.geom(
        part.kind, np.array(part.place), part.size, np.array(part.colour), part.label,
        pattern=part.pattern, second=np.array(part.second), solid=part.solid,
    )  # fmt: skip


def _mocap(name: str, height: float, geoms: list[str]) -> str:
    return f'<body name="{name}" mocap="true" pos="0 0 {height}">{"".join(geoms)}</body>'


def _kerbs(network: Network) -> str:
    """Low boxes along both sides of the road, between crossings: a wheel can climb them."""
    lines = list(network.cores.values())
    lines += [line for (node, _, _), line in network.corners.items() if network.degree[node] == 2]
    geoms = []
    for line in lines:
        for side in (1, -1):
            edge = offset(line, side * (_EDGE - 0.15))
            for k in range(0, len(edge) - 1, 8):
                a, b = edge[k], edge[min(k + 8, len(edge) - 1)]
                (x, y), half, yaw = (a + b) / 2, np.hypot(*(b - a)) / 2, np.arctan2(*(b - a)[::-1])
                place = f'pos="{x:.3f} {y:.3f} 0" euler="0 0 {yaw:.4f}"'
                geoms.append(f'<geom class="kerb" size="{half:.3f} 0.16 0.07" {place}/>')
    return "".join(geoms)


def _document(builder: _Builder, kerbs: str, cars: str, friction: float) -> str:
    return f"""<mujoco model="town"><compiler angle="radian" autolimits="true"/>
<option timestep="{TIMESTEP!r}" integrator="implicitfast" cone="elliptic" iterations="20" ls_iterations="10"/>
<size memory="2M"/>
<default><default class="kerb"><geom type="box" contype="0" conaffinity="4" solref="0.03 1"/></default></default>
<worldbody>
<body name="street"><geom name="floor" type="plane" size="0 0 1" contype="0" conaffinity="5"/>{kerbs}</body>
{"".join(builder.xml)}{cars}
{ego_xml(friction)[0]}</worldbody>{ego_xml(friction)[1]}</mujoco>"""


def _view_document(builder: _Builder, cars: str) -> str:
    """What can be seen, without kerbs and the ego car: a ray's cost grows with every geom that is there."""
    return f"""<mujoco model="view"><compiler angle="radian"/><size memory="100K"/>
<worldbody>{"".join(builder.xml)}{cars}</worldbody></mujoco>"""


def _materials(view: mujoco.MjModel, builder: _Builder) -> Materials:
    """Looks in the model's order of geoms."""
    looks = [builder.looks[view.geom(i).name] for i in range(view.ngeom)]
    colour, second, pattern, period, label = (list(column) for column in zip(*looks, strict=True))
    return Materials(
        np.array(colour), np.array(second), np.array(pattern, np.int64), np.array(period), np.array(label, np.int32)
    )
