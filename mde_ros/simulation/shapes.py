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

"""Tables and small tools behind the meshes: finishes, boxes, grids, rotations."""

from dataclasses import dataclass
from functools import lru_cache
import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Finish:
    """
    What a surface looks like: a material of the room and how its picture lies on the surface.

    :param material: name of the material, one mesh and one draw call a room.
    :param tile: metres that one repeat of the texture covers.
    :param cell: (u0, v0, u1, v1) of an atlas: every face shows this part once; None repeats.
    """

    material: str
    tile: float = 1.
    cell: tuple[float, float, float, float] | None = None

    def coordinates(self, unit: Array, metres: Array) -> Array:
        """Return texture coordinates for unit (0 to 1 in a face) and metric coordinates."""
        if self.cell is None:
            return metres / self.tile
        u0, v0, u1, v1 = self.cell
        return unit * (u1 - u0, v1 - v0) + (u0, v0)


@dataclass
class Piece:
    """Triangles of one material: vertices, normals, texture coordinates, faces."""

    material: str
    vertices: Array
    normals: Array
    uvs: Array
    faces: NDArray[np.int64]


def box_tables() -> tuple[Array, Array, Array, list[tuple[int, int]], NDArray[np.int64]]:
    """
    Return a unit cube about 0, four vertices a face.

    :returns: 24 x 3 corners and normals, 24 x 2 coordinates 0 to 1, for each face the axes that
        these run along, and 12 x 3 indices of triangles wound outwards.
    """
    corners: list[list[float]] = []
    normals, units, axes, faces = [], [], [], []
    # (normal axis, sign, u axis, v axis): u x v points along the normal.
    for axis, sign, u_axis, v_axis in ((0, 1, 1, 2), (0, -1, 1, 2), (1, 1, 0, 2),
                                       (1, -1, 0, 2), (2, 1, 0, 1), (2, -1, 0, 1)):
        flip = -1 if (sign > 0) == (axis == 1) else 1
        base = len(corners)
        for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
            corner = [0., 0., 0.]
            corner[axis] = sign * .5
            corner[u_axis] = flip * (u - .5)
            corner[v_axis] = v - .5
            corners.append(corner)
            normals.append([sign * float(axis == k) for k in range(3)])
            units.append([u, v])
        axes.append((u_axis, v_axis))
        faces += [[base, base + 1, base + 2], [base, base + 2, base + 3]]
    table = np.array(faces)
    corner_array, normal_array = np.array(corners), np.array(normals)
    for face in table:  # wind every triangle outward
        a, b, c = corner_array[face]
        if np.cross(b - a, c - a) @ normal_array[face[0]] < 0:
            face[1], face[2] = face[2], face[1]
    return corner_array, normal_array, np.array(units, float), axes, table


def rotation(yaw: float, pitch: float = 0., roll: float = 0.) -> Array:
    """Return the rotation Rz(yaw) Ry(pitch) Rx(roll), angles in radians."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    return np.array([[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
                     [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
                     [-sp, cp * sr, cp * cr]])


@lru_cache(maxsize=256)
def grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Return triangles of a (rows + 1) x (columns + 1) grid of vertices."""
    r, c = np.mgrid[0:rows, 0:columns]
    a = (r * (columns + 1) + c).ravel()
    b, d, e = a + 1, a + columns + 1, a + columns + 2
    return np.concatenate([np.stack([a, b, e], 1), np.stack([a, e, d], 1)])
