"""The ego car: a chassis on four sprung wheels, steered by position actuators, driven by motors, braked by friction.

Metres, radians, newtons; x forward, y left, z up from the middle of the wheelbase.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

try:
    import mujoco
except ImportError as error:
    raise ImportError("the MuJoCo twins need MuJoCo: pip install 'wmsim[sim]'") from error

from wmsim.control import MAX_ACCELERATION, MAX_WHEEL_ANGLE, WHEELBASE_METRES

Array = NDArray[np.float64]

FRAMES_PER_SECOND = 16
SUBSTEPS = 13
TIMESTEP = 1.0 / (FRAMES_PER_SECOND * SUBSTEPS)

WHEEL_RADIUS = 0.33
TOP_SPEED = 20.0
"""Metres per second at which the throttle has faded out."""
_MASS, _WHEEL_MASS, _TRACK, _RIDE = 1200.0, 25.0, 0.78, 0.5
_TOTAL = _MASS + 4 * _WHEEL_MASS
_SPRING = 32000.0
_CORNERS = (("fl", 1, 1), ("fr", 1, -1), ("rl", -1, 1), ("rr", -1, -1))


def ego_xml(friction: float) -> tuple[str, str]:
    """MJCF of the car's body and of its actuators, with tyres of this friction."""
    sag = -_MASS * 9.81 / 4 / _SPRING
    wheels = []
    for name, front, left in _CORNERS:
        steer = f'<joint name="steer_{name}" type="hinge" axis="0 0 1" damping="40" armature="2" range="-0.7 0.7"/>'
        wheels.append(
            f'<body name="wheel_{name}" pos="{front * WHEELBASE_METRES / 2} {left * _TRACK} {WHEEL_RADIUS - _RIDE}">'
            f'<joint name="spring_{name}" type="slide" axis="0 0 1" stiffness="{_SPRING}" damping="3200" '
            f'springref="{sag}" range="-0.15 0.15"/>{steer if front > 0 else ""}'
            f'<joint name="spin_{name}" type="hinge" axis="0 1 0" damping="1.0"/>'
            f'<geom name="tyre_{name}" type="sphere" size="{WHEEL_RADIUS}" mass="{_WHEEL_MASS}" contype="4" '
            f'conaffinity="0" friction="{friction}" priority="1" condim="3" solref="0.015 1"/></body>'
        )
    body = (
        f'<body name="ego" pos="0 0 {_RIDE}"><freejoint name="ego"/>'
        f'<inertial pos="0 0 0" mass="{_MASS}" diaginertia="420 1700 1900"/>'
        f'<geom name="chassis" type="box" size="2.05 0.86 0.4" pos="0 0 0.2" contype="1" conaffinity="2" '
        f'friction="0.3"/>'
        f"{''.join(wheels)}</body>"
    )
    drives = "".join(f'<motor name="drive_{n}" joint="spin_{n}"/>' for n, _, _ in _CORNERS)
    steer = '<position name="steer_{0}" joint="steer_{0}" kp="700" forcerange="-600 600"/>'
    steers = steer.format("fl") + steer.format("fr")
    return body, f"<actuator>{drives}{steers}</actuator>"


class EgoCar:
    """Reads and drives the ego car of one model."""

    def __init__(self, model: mujoco.MjModel) -> None:
        spins = [model.joint(f"spin_{n}").dofadr[0] for n, _, _ in _CORNERS]
        self._model, self._spins = model, np.array(spins)
        self.body = model.body("ego").id
        self.chassis = model.geom("chassis").id
        self._floor = model.geom("floor").id

    def place(self, data: mujoco.MjData, point: Array, yaw: float, speed: float) -> None:
        """Put the car down, rolling at `speed` m/s; data is freshly reset."""
        data.qpos[:7] = [*point, _RIDE, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2)]
        data.qvel[:2] = speed * np.cos(yaw), speed * np.sin(yaw)
        data.qvel[self._spins] = speed / WHEEL_RADIUS

    def drive(self, data: mujoco.MjData, steer: float, drive: float) -> bool:
        """Advance one frame under [steer, drive] in [-1, 1]; True when the chassis touched anything but the ground."""
        speed = self.speed(data)
        throttle = max(drive, 0.0) * float(np.clip((TOP_SPEED - speed) / 2, 0, 1))
        data.ctrl[:4] = throttle * _TOTAL * MAX_ACCELERATION * WHEEL_RADIUS / 4
        data.ctrl[4:] = steer * MAX_WHEEL_ANGLE
        # A brake is dry friction on the wheels' axles: it can hold the car but never push it backwards.
        brake = max(-drive, 0.0) * _TOTAL * 2 * MAX_ACCELERATION * WHEEL_RADIUS / 4
        self._model.dof_frictionloss[self._spins] = 2 + brake
        touched = False
        for count in (3, 3, 3, 4):
            mujoco.mj_step(self._model, data, count)
            touched = touched or self._touches(data)
        return touched

    def _touches(self, data: mujoco.MjData) -> bool:
        pairs = data.contact.geom
        rows = (pairs == self.chassis).any(1) & (pairs != self._floor).all(1)
        return bool(rows.any())

    def speed(self, data: mujoco.MjData) -> float:
        """Forward speed in m/s."""
        return float(_forward(data.qpos[3:7]) @ data.qvel[:3])

    def pose(self, data: mujoco.MjData) -> tuple[Array, float]:
        """Position (3,) of the body's origin and yaw."""
        w, x, y, z = data.qpos[3:7]
        return data.qpos[:3].copy(), float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))

    def camera(self, data: mujoco.MjData) -> tuple[Array, Array]:
        """Position (3,) and camera-to-world rotation (3, 3), OpenCV axes, of the camera at the windscreen."""
        turn = data.xmat[self.body].reshape(3, 3)
        position = data.xpos[self.body] + turn @ np.array([0.55, 0.0, 0.85])
        dip = 0.07
        forward = turn @ np.array([np.cos(dip), 0.0, -np.sin(dip)])
        right = -turn[:, 1]
        return position, np.stack([right, np.cross(forward, right), forward], 1)


def _forward(quaternion: Array) -> Array:
    w, x, y, z = quaternion
    return np.array([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)])
