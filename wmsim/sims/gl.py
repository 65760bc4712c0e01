"""Draws a town with MuJoCo's own OpenGL renderer, for machines that have GL; `raycast` is the reference.

Shape legend: S x S pixels. Colours come from the same materials and ground map; patterns, haze and exact shades do not.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from wmsim.sims.atmosphere import Air
from wmsim.sims.raycast import CameraConfig, Image, Scene, pixel_rays

Array = NDArray[np.float64]

_TEXTURE = 2048
_LIGHT_METRES = 80.0
_MISSING = (
    "renderer='gl' needs OpenGL: install libegl1 and libgl1 (or libosmesa6) and set MUJOCO_GL=egl (or osmesa) before "
    "Python starts, or use renderer='rays', which needs nothing"
)


class GlRenderer:
    """One town's picture by `mujoco.Renderer`; keeps a model of its own with light, sky and a textured ground."""

    def __init__(self, mjcf: str, scene: Scene, config: CameraConfig, outputs: tuple[str, ...]) -> None:
        """ImportError: there is no OpenGL here. Depth and segmentation are drawn only if `outputs` names them."""
        self._scene, self._config, self._outputs = scene, config, outputs
        self._model = _dressed(mjcf, scene, config)
        self._data = mujoco.MjData(self._model)
        try:
            self._renderer = mujoco.Renderer(self._model, config.size, config.size)
        except Exception as error:  # each GL platform fails with an exception class of its own
            raise ImportError(_MISSING) from error
        self._rays = pixel_rays(config.size, config.field_of_view)[:, 0]
        self._labels = np.concatenate([scene.materials.label, [0, scene.sky_label]]).astype(np.int32)

    def draw(self, data: mujoco.MjData, position: Array, rotation: Array, air: Air | None = None) -> Image:
        """The view from `position` (3,) with camera-to-world `rotation` (3, 3), OpenCV axes; normals are zeros.

        Of `air` only sun and ambient light are drawn.
        """
        light = air.light if air else self._scene.light
        self._model.light_diffuse[0], self._model.vis.headlight.ambient[:] = light.sun_colour, light.ambient
        self._model.light_dir[0] = [-x for x in light.sun]
        self._pose(data, position, rotation)
        size = self._config.size
        self._renderer.update_scene(self._data, camera="front")
        colour = np.asarray(self._renderer.render()).copy()
        depth = np.full((size, size), np.inf, np.float32)
        label = np.zeros((size, size), np.int32)
        if {"depth", "segmentation"} & set(self._outputs):
            depth, label = self._surfaces(position, rotation)
        return Image(colour, depth, label, np.zeros((size, size, 3), np.float32))

    def close(self) -> None:
        """Give the GL context back."""
        self._renderer.close()

    def _pose(self, data: mujoco.MjData, position: Array, rotation: Array) -> None:
        own = self._data
        own.mocap_pos[:], own.mocap_quat[:] = data.mocap_pos, data.mocap_quat
        mujoco.mj_kinematics(self._model, own)
        mujoco.mj_camlight(self._model, own)
        own.cam_xpos[0] = position
        own.cam_xmat[0] = (rotation * np.array([1.0, -1.0, -1.0])).ravel()
        own.light_xpos[0] = position + np.asarray(self._scene.light.sun) * _LIGHT_METRES

    def _surfaces(self, position: Array, rotation: Array) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        self._renderer.enable_depth_rendering()
        depth = np.asarray(self._renderer.render(), np.float32).copy()
        self._renderer.disable_depth_rendering()
        self._renderer.enable_segmentation_rendering()
        geom = np.asarray(self._renderer.render())[:, :, 0].copy()
        self._renderer.disable_segmentation_rendering()
        label = self._labels[geom]
        depth[geom < 0] = np.inf
        floor = geom == len(self._scene.materials.label)
        if self._scene.ground is not None and floor.any():
            rays = (self._rays / self._rays[:, 2:])[floor.ravel()] @ rotation.T
            label[floor] = self._scene.ground.class_at((position + rays * depth[floor][:, None])[:, :2])
        return depth, label


def _dressed(mjcf: str, scene: Scene, config: CameraConfig) -> mujoco.MjModel:
    """The model with camera, sun, sky, the ground map as a texture, and the materials' colours."""
    spec: Any = mujoco.MjSpec.from_string(mjcf)
    light, ground = scene.light, scene.ground
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=light.zenith, rgb2=light.horizon, width=64, height=64,
    )  # fmt: skip
    spec.add_texture(
        name="ground", type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        width=_TEXTURE, height=_TEXTURE, nchannel=3,
    )  # fmt: skip
    material = spec.add_material(name="ground", specular=0, shininess=0)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "ground"
    if ground is not None:
        # A body of its own, after all others, keeps the ids of the geoms before it.
        half = ground.metres / 2
        spec.worldbody.add_body().add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[half, half, 1], material="ground")
    spec.worldbody.add_camera(name="front", fovy=float(np.degrees(config.field_of_view)))
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, dir=[-x for x in light.sun], diffuse=light.sun_colour,
        ambient=[0, 0, 0], specular=[0, 0, 0], castshadow=True,
    )  # fmt: skip
    head = spec.visual.headlight
    head.ambient, head.diffuse, head.specular = light.ambient, [0, 0, 0], [0, 0, 0]
    spec.visual.quality.shadowsize, spec.visual.quality.offsamples = 1024, 4
    spec.visual.map.zfar, spec.visual.map.znear, spec.stat.extent = config.far, 0.05, 1.0
    spec.visual.map.shadowclip = 60.0
    model = spec.compile()
    model.geom_rgba[: len(scene.materials.colour), :3] = scene.materials.colour
    model.geom_rgba[:, 3] = 1
    if ground is not None:
        model.tex_data[model.tex_adr[1] :] = ground.picture(_TEXTURE)[::-1].ravel()
    return model
