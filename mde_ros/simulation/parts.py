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
from functools import lru_cache
import math

import numpy as np

from mde_ros.simulation.shapes import Array, box_tables, Finish, grid_faces, Piece, rotation

_CORNERS, _NORMALS, _UNITS, _AXES, _BOX_FACES = box_tables()
_U_AXES = np.repeat([a[0] for a in _AXES], 4)
_V_AXES = np.repeat([a[1] for a in _AXES], 4)


@lru_cache(maxsize=64)
def _circle(segments: int) -> tuple[Array, Array]:
    """Return segments + 1 points of the unit circle, the last equal to the first, and angles."""
    angle = np.linspace(0, 2 * math.pi, segments + 1)
    return np.stack([np.cos(angle), np.sin(angle)], 1), angle


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
        # The grain runs along the longer side of a face.
        tall = scale[_V_AXES] > scale[_U_AXES]
        metres[tall] = metres[tall][:, ::-1]
        if yaw or pitch or roll:
            turn = rotation(yaw, pitch, roll).T
            vertices, normals = vertices @ turn, normals @ turn
        self.pieces.append(Piece(finish.material, vertices + np.asarray(centre, float), normals,
                                 finish.coordinates(_UNITS, metres), _BOX_FACES))

    def lathe(self, finish: Finish, centre: Sequence[float] | Array,
              profile: Sequence[tuple[float, float]], segments: int = 14,
              turn: Array | None = None) -> None:
        """
        Add a body turned about the z axis of ``centre``.

        :param profile: (radius, height) from the bottom outside, outward side on the right;
            every step between two points is its own band with its own normals.
        :param turn: rotation about ``centre``.
        """
        circle, angle = _circle(segments)
        ends = np.asarray(profile, float)
        start, step = ends[:-1], np.diff(ends, axis=0)
        length = np.hypot(step[:, 0], step[:, 1])
        keep = length > 0
        start, step, length = start[keep], step[keep], length[keep]
        along = np.concatenate([[0], np.cumsum(length)])
        bands, around = len(length), segments + 1
        # bands x (lower, upper ring) x points around
        radius = np.stack([start[:, 0], start[:, 0] + step[:, 0]], 1)[..., None]
        height = np.stack([start[:, 1], start[:, 1] + step[:, 1]], 1)[..., None]
        position = np.stack([along[:-1], along[1:]], 1)[..., None]
        points = np.empty((bands, 2, around, 3))
        points[..., :2], points[..., 2] = radius[..., None] * circle, height
        directions = np.empty((bands, 2, around, 3))
        directions[..., :2] = (step[:, 1] / length)[:, None, None, None] * circle
        directions[..., 2] = -(step[:, 0] / length)[:, None, None]
        units, metres = np.empty((2, bands, 2, around, 2))
        units[..., 0], units[..., 1] = angle / (2 * math.pi), position / along[-1]
        metres[..., 0], metres[..., 1] = radius.max(1, keepdims=True) * angle, position
        # A lid is cut from a board; only a hull is wrapped.
        lid = np.abs(step[:, 0]) > np.abs(step[:, 1])
        metres[lid] = points[lid][..., :2]
        if turn is not None:
            points, directions = points @ turn.T, directions @ turn.T
        first = 2 * around * np.arange(bands)
        self.pieces.append(Piece(
            finish.material, (points + np.asarray(centre, float)).reshape(-1, 3),
            directions.reshape(-1, 3),
            finish.coordinates(units.reshape(-1, 2), metres.reshape(-1, 2)),
            (first[:, None, None] + grid_faces(1, segments)).reshape(-1, 3)))

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
            finish.coordinates(units, metres), grid_faces(rows, columns)))

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
        t = np.repeat(np.linspace(0, 1, rows + 1), columns + 1)
        s = np.tile(np.linspace(0, 1, columns + 1), rows + 1)
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
            grid_faces(rows, columns)))

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
