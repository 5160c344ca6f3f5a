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

"""Placing furniture in a room: along walls, in groups, without overlaps."""

from dataclasses import dataclass, field
import math

from mde_ros.simulation.clutter import scatter
from mde_ros.simulation.look import Look
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.thing import Footprint, footprint, Surface, Thing
from mde_ros.simulation.walls import Wall


@dataclass
class Layout:
    """
    The floor plan of one room while it is filled.

    :param targets: (x, y, z) places worth looking at: the tops of cluttered surfaces.
    """

    look: Look
    length: float
    width: float
    height: float
    walls: list[Wall]
    parts: Parts
    solids: list[Footprint] = field(default_factory=list)
    targets: list[tuple[float, float, float]] = field(default_factory=list)

    def _fits(self, bounds: Footprint, gap: float) -> bool:
        if (bounds.x0 < -.01 or bounds.y0 < -.01 or bounds.x1 > self.length + .01
                or bounds.y1 > self.width + .01 or bounds.z1 > self.height - .02):
            return False
        return not any(bounds.overlaps(other, gap) for other in self.solids)

    def put(self, thing: Thing, x: float, y: float, yaw: float, gap: float = .02) -> bool:
        """Place a thing's back middle at (x, y) if it is free there; return whether it was."""
        bounds = footprint(thing, x, y, yaw)
        if not self._fits(bounds, gap):
            return False
        self.solids.append(bounds)
        for surface in thing.surfaces:
            count = scatter(self.look, surface, thing.parts)
            if count and .3 < surface.z < 1.3:
                self.targets.append(self.world(
                    (surface.x0 + surface.x1) / 2, (surface.y0 + surface.y1) / 2, surface.z,
                    x, y, yaw))
        self.parts.place(thing.parts, x, y, 0., yaw)
        return True

    @staticmethod
    def world(u: float, v: float, z: float, x: float, y: float,
              yaw: float) -> tuple[float, float, float]:
        """Return the room coordinates of (u, v, z) in the frame of a thing."""
        c, s = math.cos(yaw), math.sin(yaw)
        return x + c * u - s * v, y + s * u + c * v, z

    def against_wall(self, thing: Thing, wall: Wall | None = None, gap: float = .03,
                     out: float = .015) -> tuple[float, float, float] | None:
        """Place a thing with its back at a wall; return (x, y, yaw), or None if full."""
        rng = self.look.rng
        for _ in range(14):
            side = wall or self.walls[int(rng.integers(0, 4))]
            room = side.length - thing.width
            if room < .02:
                continue
            s = rng.uniform(0, room) if rng.random() < .7 else rng.choice([.01, room - .01])
            if any(s < b and a < s + thing.width for a, b in side.blocked):
                continue
            if thing.height > 1.2 and any(
                    s < b and a < s + thing.width for a, b, _, _ in side.windows):
                continue
            extra = .14 if any(s < b and a < s + thing.width
                               for a, b, _, _ in side.windows) else 0.
            x, y = side.point(s + thing.width / 2, out + extra)
            if self.put(thing, x, y, side.yaw, gap):
                side.taken.append((s, s + thing.width, 0., thing.height + .02))
                return x, y, side.yaw
        return None

    def anywhere(self, thing: Thing, gap: float = .1,
                 straight: bool = False) -> tuple[float, float, float] | None:
        """Place a thing somewhere on the free floor; return (x, y, yaw), or None if full."""
        rng = self.look.rng
        for _ in range(14):
            yaw = (int(rng.integers(0, 4)) * math.pi / 2 if straight or rng.random() < .5
                   else rng.uniform(0, 2 * math.pi))
            x, y = rng.uniform(.2, self.length - .2), rng.uniform(.2, self.width - .2)
            if self.put(thing, x, y, yaw, gap):
                return x, y, yaw
        return None

    def in_front(self, thing: Thing, place: tuple[float, float, float], u: float, v: float,
                 turn: float = math.pi) -> bool:
        """Place a thing at (u, v) in the frame of another, its front turned by ``turn``."""
        x, y, _ = self.world(u, v, 0., *place)
        return self.put(thing, x, y, place[2] + turn, -.25)

    def litter(self, share: float) -> None:
        """Put bags, bins and boxes on the floor."""
        rng = self.look.rng
        for _ in range(int(rng.poisson(share * self.length * self.width))):
            item = Parts()
            scatter(self.look, Surface(-.3, -.3, .3, .3, 0., .35, 1., 'floor'), item)
            if not item.pieces:
                continue
            high = max(float(piece.vertices[:, 2].max()) for piece in item.pieces)
            shifted = Parts()
            shifted.place(item, 0., .35, 0.)
            self.anywhere(Thing(shifted, .7, .7, high), .0)

    def free_at(self, x: float, y: float, z: float, margin: float) -> bool:
        """Return whether a camera at this place is outside walls and things."""
        return (margin < x < self.length - margin and margin < y < self.width - margin
                and .05 < z < self.height - .1
                and not any(solid.contains(x, y, z, margin) for solid in self.solids))
