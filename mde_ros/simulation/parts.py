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

"""Meshes of furniture: boxes, turned bodies, cushions and rods with texture coordinates."""

from collections.abc import Sequence
from dataclasses import dataclass
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


def _box_tables() -> tuple[Array, Array, Array, list[tuple[int, int]], NDArray[np.int64]]:
    corners, normals, units, axes, faces = [], [], [], [], []
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


_CORNERS, _NORMALS, _UNITS, _AXES, _BOX_FACES = _box_tables()
_U_AXES = np.repeat([a[0] for a in _AXES], 4)
_V_AXES = np.repeat([a[1] for a in _AXES], 4)


def rotation(yaw: float, pitch: float = 0., roll: float = 0.) -> Array:
    """Return the rotation Rz(yaw) Ry(pitch) Rx(roll), angles in radians."""
    cy, sy, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    return np.array([[cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
                     [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
                     [-sp, cp * sr, cp * cr]])


def _grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Return triangles of a (rows + 1) x (columns + 1) grid of vertices."""
    r, c = np.mgrid[0:rows, 0:columns]
    a = (r * (columns + 1) + c).ravel()
    b, d, e = a + 1, a + columns + 1, a + columns + 2
    return np.concatenate([np.stack([a, b, e], 1), np.stack([a, e, d], 1)])


class Parts:
    """A growing set of pieces in one frame: metres, x right, y forward, z up."""

    def __init__(self) -> None:
        """Start empty."""
        self.pieces: list[Piece] = []

    def box(self, finish: Finish, centre: Sequence[float], size: Sequence[float],
            yaw: float = 0., pitch: float = 0., roll: float = 0.) -> None:
        """Add a box of ``size`` about ``centre``."""
        scale = np.asarray(size, float)
        vertices, normals = _CORNERS * scale, _NORMALS
        metres = _UNITS * np.stack([scale[_U_AXES], scale[_V_AXES]], 1)
        if yaw or pitch or roll:
            turn = rotation(yaw, pitch, roll).T
            vertices, normals = vertices @ turn, normals @ turn
        self.pieces.append(Piece(finish.material, vertices + np.asarray(centre, float), normals,
                                 finish.coordinates(_UNITS, metres), _BOX_FACES))

    def lathe(self, finish: Finish, centre: Sequence[float],
              profile: Sequence[tuple[float, float]], segments: int = 14,
              turn: Array | None = None) -> None:
        """
        Add a body turned about the z axis of ``centre``.

        :param profile: (radius, height) from the bottom outside, outward side on the right;
            every step between two points is its own band with its own normals.
        :param turn: rotation about ``centre``.
        """
        angle = np.linspace(0, 2 * math.pi, segments + 1)
        circle = np.stack([np.cos(angle), np.sin(angle)], 1)
        vertices, normals, units, metres, faces = [], [], [], [], []
        total = sum(math.dist(a, b) for a, b in zip(profile, profile[1:])) or 1.
        done = 0.
        band = _grid_faces(1, segments)
        for (r0, z0), (r1, z1) in zip(profile, profile[1:]):
            length = math.hypot(r1 - r0, z1 - z0)
            if length == 0:
                continue
            normal = np.concatenate([circle * (z1 - z0) / length,
                                     np.full((segments + 1, 1), (r0 - r1) / length)], 1)
            faces.append(band + 2 * (segments + 1) * len(faces))
            for r, z, along in ((r0, z0, done), (r1, z1, done + length)):
                vertices.append(np.concatenate(
                    [circle * r, np.full((segments + 1, 1), z)], 1))
                normals.append(normal)
                units.append(np.stack([angle / (2 * math.pi),
                                       np.full(segments + 1, along / total)], 1))
                metres.append(np.stack([angle * max(r0, r1),
                                        np.full(segments + 1, along)], 1))
            done += length
        points, directions = np.concatenate(vertices), np.concatenate(normals)
        if turn is not None:
            points, directions = points @ turn.T, directions @ turn.T
        self.pieces.append(Piece(
            finish.material, points + np.asarray(centre, float), directions,
            finish.coordinates(np.concatenate(units), np.concatenate(metres)),
            np.concatenate(faces)))

    def cylinder(self, finish: Finish, base: Sequence[float], radius: float, height: float,
                 segments: int = 14, top_radius: float | None = None) -> None:
        """Add a closed upright cylinder or cone on ``base``."""
        top = radius if top_radius is None else top_radius
        self.lathe(finish, base, [(0, 0), (radius, 0), (top, height), (0, height)], segments)

    def rod(self, finish: Finish, start: Sequence[float], end: Sequence[float],
            radius: float, segments: int = 7) -> None:
        """Add a closed rod from ``start`` to ``end``."""
        p, q = np.asarray(start, float), np.asarray(end, float)
        length = float(np.linalg.norm(q - p))
        if length < 1e-6:
            return
        z = (q - p) / length
        x = np.cross([0., 0., 1.] if abs(z[2]) < .9 else [1., 0., 0.], z)
        x /= np.linalg.norm(x)
        self.lathe(finish, p, [(0, 0), (radius, 0), (radius, length), (0, length)], segments,
                   np.stack([x, np.cross(z, x), z], 1))

    def cushion(self, finish: Finish, centre: Sequence[float], size: Sequence[float],
                power: float = .5, yaw: float = 0., pitch: float = 0., roll: float = 0.,
                rows: int = 8, columns: int = 14) -> None:
        """Add a superellipsoid: ``power`` 1 is an ellipsoid, towards 0 a box."""
        lat, lon = np.meshgrid(np.linspace(-math.pi / 2, math.pi / 2, rows + 1),
                               np.linspace(0, 2 * math.pi, columns + 1), indexing='ij')

        def raised(value: Array, exponent: float) -> Array:
            return np.sign(value) * np.abs(value) ** exponent

        half = np.asarray(size, float) / 2
        cl, sl, co, so = np.cos(lat), np.sin(lat), np.cos(lon), np.sin(lon)
        body = np.stack([raised(cl, power) * raised(co, power),
                         raised(cl, power) * raised(so, power), raised(sl, power)], -1)
        slope = np.stack([raised(cl, 2 - power) * raised(co, 2 - power),
                          raised(cl, 2 - power) * raised(so, 2 - power),
                          raised(sl, 2 - power)], -1) / half
        slope /= np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 1e-9)
        vertices, normals = (body * half).reshape(-1, 3), slope.reshape(-1, 3)
        turn = rotation(yaw, pitch, roll).T
        units = np.stack([lon / (2 * math.pi), lat / math.pi + .5], -1).reshape(-1, 2)
        metres = np.stack([body[..., 0] * half[0] + body[..., 1] * half[1],
                           body[..., 2] * half[2] + body[..., 1] * half[1]], -1).reshape(-1, 2)
        self.pieces.append(Piece(
            finish.material, vertices @ turn + np.asarray(centre, float), normals @ turn,
            finish.coordinates(units, metres), _grid_faces(rows, columns)))

    def sheet(self, finish: Finish, origin: Sequence[float], u: Sequence[float],
              v: Sequence[float], step: float = .5, wave: float = 0.,
              offset: tuple[float, float] = (0., 0.)) -> None:
        """
        Add a one-sided rectangle seen from the side of u x v, cut for smooth light.

        :param wave: depth of the folds of a curtain along u, in metres.
        :param offset: metric texture coordinates of the origin.
        """
        u_vec, v_vec = np.asarray(u, float), np.asarray(v, float)
        lu, lv = float(np.linalg.norm(u_vec)), float(np.linalg.norm(v_vec))
        if lu < 1e-6 or lv < 1e-6:
            return
        columns, rows = max(1, round(lu / step)), max(1, round(lv / step))
        t, s = np.meshgrid(np.linspace(0, 1, rows + 1), np.linspace(0, 1, columns + 1),
                           indexing='ij')
        s, t = s.ravel(), t.ravel()
        normal = np.cross(u_vec, v_vec)
        normal /= np.linalg.norm(normal)
        vertices = np.asarray(origin, float) + s[:, None] * u_vec + t[:, None] * v_vec
        normals = np.tile(normal, (len(s), 1))
        if wave:
            phase = s * lu * 2 * math.pi / .18
            vertices = vertices + (wave * np.sin(phase))[:, None] * normal
            normals = normals - (np.cos(phase) * .8)[:, None] * (u_vec / lu)
            normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        self.pieces.append(Piece(
            finish.material, vertices, normals,
            finish.coordinates(np.stack([s, t], 1),
                               np.stack([s * lu + offset[0], t * lv + offset[1]], 1)),
            _grid_faces(rows, columns)))

    def place(self, other: 'Parts', x: float = 0., y: float = 0., z: float = 0.,
              yaw: float = 0.) -> None:
        """Add another set of pieces, turned by ``yaw`` and then moved."""
        turn, move = rotation(yaw).T, np.array([x, y, z])
        for piece in other.pieces:
            self.pieces.append(Piece(piece.material, piece.vertices @ turn + move,
                                     piece.normals @ turn, piece.uvs, piece.faces))

    def merged(self) -> dict[str, Piece]:
        """Return one piece for each material."""
        groups: dict[str, list[Piece]] = {}
        for piece in self.pieces:
            groups.setdefault(piece.material, []).append(piece)
        merged = {}
        for material, group in groups.items():
            starts = np.cumsum([0] + [len(p.vertices) for p in group[:-1]])
            merged[material] = Piece(
                material, np.concatenate([p.vertices for p in group]),
                np.concatenate([p.normals for p in group]),
                np.concatenate([p.uvs for p in group]),
                np.concatenate([p.faces + s for p, s in zip(group, starts)]))
        return merged
