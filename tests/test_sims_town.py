"""Towns over several seeds: roads close, lanes lie on them, nothing stands in the way, a seed fixes it all."""

from __future__ import annotations

import numpy as np
import pytest

from wmsim.sims import streets
from wmsim.sims.props import PROPS
from wmsim.sims.roads import LANE_METRES, STEP_METRES, Lane, RoadConfig, make_network, offset, resample, wrap
from wmsim.sims.town import Town, make_town
from wmsim.sims.traffic import FREE_METRES, Mover, Traffic, TrafficState

SEEDS = (0, 5, 1_000_003)


@pytest.fixture(scope="module")
def towns() -> list[Town]:
    return [make_town(seed) for seed in SEEDS]


def test_lanes_are_closed_smooth_and_on_the_road(towns: list[Town]) -> None:
    for town in towns:
        assert len(town.lanes) == 4
        for lane in town.lanes:
            gaps = np.linalg.norm(np.roll(lane.points, -1, 0) - lane.points, axis=1)
            np.testing.assert_allclose(gaps, STEP_METRES, rtol=0.1)
            assert np.abs(lane.curvature).max() < 1 / 4.3, "a bend is tighter than the car's turning circle"
            ground = town.ground.class_at(lane.points)
            assert np.isin(ground, (streets.ROAD, streets.MARKING)).all()


def test_traffic_keeps_right_so_opposite_lanes_are_a_lane_apart(towns: list[Town]) -> None:
    for town in towns:
        there, back = town.lanes[0], town.lanes[1]
        for s in np.arange(0, there.length, 25.0):
            point, yaw, _ = there.at(s)
            other, _ = back.project(point[0])
            returned = back.at(other)
            assert abs(np.linalg.norm(returned[0][0] - point[0]) - LANE_METRES) < 0.6
            assert abs(abs(wrap(returned[1] - yaw)[0]) - np.pi) < 0.35
            left = np.array([-np.sin(yaw[0]), np.cos(yaw[0])])
            assert (returned[0][0] - point[0]) @ left > 0, "the oncoming lane is on the left"


def test_no_parked_car_or_building_stands_in_a_lane_or_in_each_other(towns: list[Town]) -> None:
    for town in towns:
        path = np.concatenate([lane.points for lane in town.lanes])
        solid = [(b[:3], b[3], b[4]) for b in town.buildings] + [(p, 2.3, 0.95) for p in town.parked]
        for place, along, across in solid:
            turn = np.array([[np.cos(place[2]), np.sin(place[2])], [-np.sin(place[2]), np.cos(place[2])]])
            local = np.abs((path - place[:2]) @ turn.T)
            assert not ((local[:, 0] < along + 0.9) & (local[:, 1] < across + 0.9)).any()
        for place in town.parked:
            for building in town.buildings:
                turn = np.array(
                    [[np.cos(building[2]), np.sin(building[2])], [-np.sin(building[2]), np.cos(building[2])]]
                )
                local = np.abs((streets.rectangle(place, 2.2, 0.9) - building[:2]) @ turn.T)
                assert not ((local[:, 0] < building[3]) & (local[:, 1] < building[4])).any()


def test_a_town_has_everything_it_needs(towns: list[Town]) -> None:
    for town in towns:
        present = set(np.unique(town.ground.classes))
        assert {streets.GRASS, streets.ROAD, streets.MARKING, streets.KERB, streets.PAVEMENT, streets.BAY} <= present
        labels = set(town.scene.materials.label.tolist())
        assert {streets.BUILDING, streets.TREE, streets.PARKED, streets.TRAFFIC} <= labels
        assert len(town.buildings) > 25
        assert len(town.parked) >= 14
        assert town.model.nmocap == town.traffic + len(PROPS)
        assert max(town.network.degree.values()) >= 3, "there is a crossing"


def test_a_seed_fixes_the_town_and_another_gives_another(towns: list[Town]) -> None:
    again = make_town(SEEDS[0])
    np.testing.assert_array_equal(again.model.geom_pos, towns[0].model.geom_pos)
    np.testing.assert_array_equal(again.ground.classes, towns[0].ground.classes)
    assert again.scene.light == towns[0].scene.light
    assert towns[0].scene.light != towns[1].scene.light
    assert not np.array_equal(towns[0].ground.classes, towns[1].ground.classes)


def test_surfaces_and_light_vary_over_seeds(towns: list[Town]) -> None:
    heights = {town.scene.light.sun[2] for town in towns}
    assert len(heights) == len(SEEDS)
    for town in towns:
        assert 0.5 < town.friction <= 1.0
        np.testing.assert_allclose(np.linalg.norm(town.scene.light.sun), 1, atol=1e-9)


def test_networks_visit_no_node_twice() -> None:
    for seed in range(30):
        network = make_network(np.random.default_rng(seed), RoadConfig())
        for loop in network.loops:
            assert len(set(loop)) == len(loop) >= 4
            for a, b in zip(loop, (*loop[1:], loop[0]), strict=True):
                assert abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1


# --- lanes and traffic ---------------------------------------------------------------------------------------------


def _ring(radius: float = 40.0) -> Lane:
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    return Lane(resample(radius * np.stack([np.cos(angle), np.sin(angle)], 1), STEP_METRES, closed=True))


def test_a_lane_projects_and_interpolates_a_circle() -> None:
    lane = _ring()
    np.testing.assert_allclose(lane.curvature, 1 / 40, rtol=0.01)
    for s in (0.0, 31.3, lane.length - 0.2):
        point, yaw, _ = lane.at(s)
        aside = point[0] + 1.5 * np.array([-np.sin(yaw[0]), np.cos(yaw[0])])
        found, left = lane.project(aside, near=s)
        assert abs(found - s) < 0.1
        assert abs(left - 1.5) < 0.05


def test_offset_moves_to_the_left() -> None:
    line = np.stack([np.arange(5.0), np.zeros(5)], 1)
    np.testing.assert_allclose(offset(line, 2.0)[:, 1], 2.0)


def _two(gap: float) -> Traffic:
    lane = _ring()
    state = TrafficState(
        np.zeros(2, np.int64), np.array([0.0, gap]), np.array([10.0, 0.0]), np.array([10.0, 0.0]), np.zeros(2)
    )
    return Traffic((lane,), state)


_AWAY = Mover(np.array([500.0, 500.0]), 0.0, 0.0)


def test_a_car_stops_behind_a_standing_car() -> None:
    traffic = _two(40.0)
    for _ in range(16 * 10):
        traffic.step(1 / 16, _AWAY)
    assert traffic.state.speed[0] < 0.5
    assert 4.0 < traffic.state.s[1] - traffic.state.s[0] < 12.0


def test_a_car_stops_behind_the_ego_car_and_sees_a_free_road_otherwise() -> None:
    traffic = _two(120.0)
    point, yaw, _ = traffic._lanes[0].at(35.0)
    for _ in range(16 * 6):
        traffic.step(1 / 16, Mover(point[0], float(yaw[0]), 0.0))
    assert traffic.state.speed[0] < 0.5
    assert traffic.state.s[0] < 31
    assert traffic.gap(traffic._lanes[0], 60.0) == FREE_METRES
    assert 10 < traffic.gap(traffic._lanes[0], 100.0) < 20


def test_traffic_spawns_apart_and_away_from_the_ego_car() -> None:
    lane = _ring(80.0)
    traffic = Traffic.spawn((lane,), 8, np.random.default_rng(0), lane.points[0])
    points = traffic.poses(np.zeros(1))[0][:, 0]
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) + 1e3 * np.eye(8)
    assert apart.min() >= 12
    assert np.linalg.norm(points - lane.points[0], axis=1).min() >= 16
