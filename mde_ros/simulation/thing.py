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

"""A thing of a room: its meshes, its footprint, and the surfaces that carry smaller things."""

from dataclasses import dataclass, field
import math

from mde_ros.simulation.parts import Parts


@dataclass(frozen=True)
class Surface:
    """
    A horizontal rectangle to put things on, in the frame of its thing.

    :param clutter: expected share of the area that is covered.
    :param room: free height above, in metres.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    z: float
    clutter: float = .3
    room: float = 1.
    kind: str = 'table'


@dataclass
class Thing:
    """
    One piece of furniture in its own frame: the back at y = 0, the front towards +y.

    :param width: extent along x, centred.
    :param depth: extent along y, from 0.
    :param height: top of the solid part, in metres.
    """

    parts: Parts
    width: float
    depth: float
    height: float
    surfaces: list[Surface] = field(default_factory=list)


@dataclass(frozen=True)
class Footprint:
    """The axis-aligned bounds of a placed thing in the room, in metres."""

    x0: float
    y0: float
    x1: float
    y1: float
    z1: float

    def overlaps(self, other: 'Footprint', gap: float = 0.) -> bool:
        """Return whether two footprints overlap on the floor, grown by ``gap``."""
        return (self.x0 < other.x1 + gap and other.x0 < self.x1 + gap
                and self.y0 < other.y1 + gap and other.y0 < self.y1 + gap)

    def contains(self, x: float, y: float, z: float, margin: float) -> bool:
        """Return whether a point is inside the bounds grown by ``margin``."""
        return (self.x0 - margin < x < self.x1 + margin and z < self.z1 + margin
                and self.y0 - margin < y < self.y1 + margin)


def footprint(thing: Thing, x: float, y: float, yaw: float) -> Footprint:
    """Return the bounds of a thing placed at (x, y) and turned by ``yaw``."""
    c, s = math.cos(yaw), math.sin(yaw)
    corners = [(c * u - s * v + x, s * u + c * v + y)
               for u in (-thing.width / 2, thing.width / 2) for v in (0., thing.depth)]
    return Footprint(min(p[0] for p in corners), min(p[1] for p in corners),
                     max(p[0] for p in corners), max(p[1] for p in corners), thing.height)
