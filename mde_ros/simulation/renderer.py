# Copyright 2026 mde_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Colour and metric depth of a room from MuJoCo, for any pinhole camera."""

from functools import cache
import math
import os
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.pose import Pose
from mde_ros.simulation.room import Room

NEAR, FAR = .05, 40.
MAX_DEPTH = 20.
SUPERSAMPLING = 2
SAME_SURFACE = .03  # relative difference of 1/z inside one pixel
NO_OPENGL = ('no OpenGL without a screen ({}): apt-get install libegl1 libopengl0 '
             'libgl1-mesa-dri, or set MUJOCO_GL to osmesa or glfw')


@cache
def _mujoco() -> Any:
    """
    Import MuJoCo, which opens the OpenGL library at once.

    :raises SimulationError: naming the packages that are missing.
    """
    os.environ.setdefault('MUJOCO_GL', 'egl')
    try:
        import mujoco
    except Exception as error:  # the binding raises many kinds
        raise SimulationError(NO_OPENGL.format(error)) from error
    return mujoco


def compile_room(room: Room, width: int, height: int) -> Any:
    """Return the MuJoCo model of a room, for pictures of at most ``width`` x ``height``."""
    mujoco = _mujoco()
    spec = mujoco.MjSpec()
    spec.stat.extent, spec.stat.center = 1., [0, 0, 0]
    spec.visual.map.znear, spec.visual.map.zfar = NEAR, FAR
    # Shadows are half of the cost; their map need not be finer than the picture.
    spec.visual.quality.shadowsize = 512 if width <= 800 else 1024
    spec.visual.quality.offsamples = 0
    spec.visual.global_.offwidth, spec.visual.global_.offheight = width, height
    spec.visual.headlight.ambient = room.ambient
    spec.visual.headlight.diffuse = spec.visual.headlight.specular = [0, 0, 0]
    for name, picture in room.look.textures.items():
        texture = spec.add_texture(name=name, type=mujoco.mjtTexture.mjTEXTURE_2D,
                                   width=picture.shape[1], height=picture.shape[0], nchannel=3)
        texture.data = picture.tobytes()
    for name, material in room.look.materials.items():
        entry = spec.add_material(name=name, specular=material.specular,
                                  shininess=material.shininess, emission=material.emission)
        textures = list(entry.textures)
        textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = material.texture
        entry.textures = textures
    for name, piece in room.plan.parts.merged().items():
        mesh = spec.add_mesh(name=name, inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        faces = piece.faces.ravel().tolist()
        mesh.uservert, mesh.usernormal = piece.vertices.ravel(), piece.normals.ravel()
        mesh.usertexcoord, mesh.userface = piece.uvs.ravel(), faces
        mesh.userfacenormal = mesh.userfacetexcoord = faces
        spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, material=name,
                                contype=0, conaffinity=0)
    if room.look.mirror:
        _mirror_floor(mujoco, spec, room)
    kinds = mujoco.mjtLightType
    for lamp in room.lamps:
        spec.worldbody.add_light(
            type=kinds.mjLIGHT_POINT if lamp.cutoff is None else kinds.mjLIGHT_SPOT,
            pos=lamp.position, dir=lamp.direction, diffuse=lamp.diffuse,
            specular=[.6 * v for v in lamp.diffuse], ambient=[0, 0, 0],
            cutoff=lamp.cutoff or 45., exponent=1., attenuation=[1, .02, .01],
            castshadow=lamp.shadow, active=True)
    return spec.compile()


def _mirror_floor(mujoco: Any, spec: Any, room: Room) -> None:
    """Add the floor as a box, of which MuJoCo reflects the upper face."""
    plan, thick = room.plan, .05
    floor = room.look.materials['floor']
    entry = spec.add_material(name='mirror', specular=floor.specular, shininess=floor.shininess,
                              reflectance=room.look.mirror, texuniform=True,
                              texrepeat=[1 / room.look.tiles['floor']] * 2)
    textures = list(entry.textures)
    textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = floor.texture
    entry.textures = textures
    # Light is computed at corners only: as fine as the sheets of the walls.
    spec.visual.quality.numquads = max(4, math.ceil(max(plan.length, plan.width) / .4))
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX, material='mirror', contype=0, conaffinity=0,
        pos=[plan.length / 2, plan.width / 2, -thick / 2],
        size=[plan.length / 2, plan.width / 2, thick / 2])


class Renderer:
    """One OpenGL context for many rooms; ``open`` a room, then ``view`` it often."""

    def __init__(self, width: int, height: int) -> None:
        """
        Open the context.

        :raises SimulationError: when the machine has no EGL.
        """
        self.size = width * SUPERSAMPLING, height * SUPERSAMPLING
        mujoco = _mujoco()
        try:
            # Whoever imported mujoco earlier may have left it with a windowed context.
            if os.environ['MUJOCO_GL'] == 'egl':
                from mujoco.egl import GLContext
            else:
                GLContext = mujoco.GLContext
            self._gl: Any = GLContext(*self.size)
            self._gl.make_current()
        except Exception as error:  # the binding raises many kinds
            raise SimulationError(NO_OPENGL.format(error)) from error
        self._context: Any = None
        self._scene: Any = None

    def open(self, room: Room) -> None:
        """Upload a room; it stays until the next one."""
        mujoco = _mujoco()
        self._gl.make_current()  # another renderer may have been used since
        self._release()
        model = compile_room(room, *self.size)
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=200)
        mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, mujoco.MjvCamera(),
                               mujoco.mjtCatBit.mjCAT_ALL, self._scene)
        self._keep = model, data

    def view(self, pose: Pose, camera: Intrinsics) -> tuple[NDArray[np.uint8],
                                                            NDArray[np.float32]]:
        """
        Return colour (H x W x 3, uint8 RGB) and depth (H x W float32, metres along the axis).

        Depth is NaN where nothing is nearer than 20 m. Distortion of the camera is ignored.
        """
        mujoco = _mujoco()
        _, down, forward = pose.axes()
        left = -(camera.cx + .5) / camera.fx * NEAR
        far_right = (camera.width - .5 - camera.cx) / camera.fx * NEAR
        for eye in self._scene.camera:
            eye.pos[:], eye.forward[:], eye.up[:] = (pose.x, pose.y, pose.z), forward, -down
            eye.frustum_near, eye.frustum_far = NEAR, FAR
            eye.frustum_top = (camera.cy + .5) / camera.fy * NEAR
            eye.frustum_bottom = -(camera.height - .5 - camera.cy) / camera.fy * NEAR
            eye.frustum_center = (left + far_right) / 2
            eye.frustum_width = (far_right - left) / 2
        width, height = camera.width * SUPERSAMPLING, camera.height * SUPERSAMPLING
        if width > self.size[0] or height > self.size[1]:
            raise SimulationError(f'a {camera.width}x{camera.height} view does not fit the '
                                  f'renderer of {self.size[0] // 2}x{self.size[1] // 2}')
        self._gl.make_current()
        viewport = mujoco.MjrRect(0, 0, width, height)
        colour = np.empty((height, width, 3), np.uint8)
        buffer = np.empty((height, width), np.float32)
        mujoco.mjr_render(viewport, self._scene, self._context)
        mujoco.mjr_readPixels(colour, buffer, viewport, self._context)
        small = cv2.resize(colour[::-1], (camera.width, camera.height),
                           interpolation=cv2.INTER_AREA)
        return small, _metres(buffer[::-1])

    def _release(self) -> None:
        if self._context is not None:
            self._context.free()
            self._context = None

    def close(self) -> None:
        """Free the context."""
        self._release()
        self._gl.free()


def _metres(buffer: NDArray[np.float32]) -> NDArray[np.float32]:
    """
    Return metric depth at pixel centres from the 2 x 2 samples of each pixel.

    1/z is linear in the image on a plane, so the mean of the four is exact at the centre; where
    an edge passes between them, only the samples near the second nearest count.
    """
    inverse = (FAR - buffer.astype(np.float64) * (FAR - NEAR)) / (NEAR * FAR)
    corners = [inverse[y::2, x::2] for y in (0, 1) for x in (0, 1)]
    mean = (corners[0] + corners[1] + corners[2] + corners[3]) / 4
    spread = np.maximum.reduce(corners) - np.minimum.reduce(corners)
    edge = spread > SAME_SURFACE * mean
    samples = np.sort(np.stack([corner[edge] for corner in corners], -1), -1)
    reference = samples[:, 2:3]
    same = np.abs(samples - reference) < SAME_SURFACE * reference
    mean[edge] = np.where(same, samples, 0).sum(-1) / same.sum(-1)
    return np.where(mean > 1 / MAX_DEPTH, 1 / mean, np.nan).astype(np.float32)
