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

"""The look of one room: its materials, textures, colours, drawn once and shared by all things."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mde_ros.simulation.prints import atlas_cell, KINDS, make_atlas
from mde_ros.simulation.shapes import Finish
from mde_ros.simulation.textures import PATTERNS, Picture

PALETTE_SIDE = 16  # cells a row of the palette
PALETTE_PIXELS = 4
# group: number of palette cells
# Hues of things (red 0, yellow 1, green 2, cyan 3, blue 4, magenta 5): warm and blue are common.
HUES = (0., 0., .3, .5, .8, 1., 1.7, 2.2, 3., 3.5, 3.6, 3.7, 4., 5.)
GROUPS = {'white': 32, 'grey': 48, 'dark': 40, 'brown': 40, 'colour': 64, 'pastel': 16,
          'skin': 6, 'leaf': 10}


@dataclass(frozen=True)
class Material:
    """
    One material of MuJoCo.

    :param texture: name of a picture in :attr:`Look.textures`.
    """

    texture: str
    specular: float = .1
    shininess: float = .1
    emission: float = 0.


def _group_colours(rng: np.random.Generator, group: str, count: int) -> NDArray[np.float64]:
    """Return count x 3 colours, 0 to 1."""
    if group == 'white':
        return rng.uniform(.75, .98, (count, 1)) * rng.uniform(.93, 1, (count, 3))
    if group == 'grey':
        return rng.uniform(.2, .75, (count, 1)) * rng.uniform(.92, 1, (count, 3))
    if group == 'dark':
        return rng.uniform(.02, .2, (count, 1)) * rng.uniform(.75, 1.25, (count, 3))
    if group == 'brown':
        return wood_colours(rng, count)
    if group == 'pastel':
        return rng.uniform(.6, .95, (count, 1)) * rng.uniform(.8, 1., (count, 3))
    if group == 'skin':
        return (np.array([.85, .62, .5]) * rng.uniform(.35, 1.1, (count, 1))).clip(0, 1)
    if group == 'leaf':
        return np.array([.25, .45, .15]) * rng.uniform(.5, 1.5, (count, 3))
    hue = (rng.choice(HUES, count) + rng.normal(0, .2, count)) % 6
    full = np.clip(np.abs((hue[:, None] + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    value, saturation = rng.uniform(.15, .95, (count, 1)), rng.uniform(.1, .85, (count, 1))
    return value * (1 - saturation + saturation * full)


def wood_colours(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return count x 3 colours from wenge over oak and cherry to birch."""
    dark, light = np.array([.2, .11, .06]), np.array([.86, .7, .5])
    mix = rng.uniform(0, 1, (count, 1))
    return ((dark * (1 - mix) + light * mix) * rng.uniform(.88, 1.12, (count, 3))).clip(0, 1)


class Look:
    """
    Materials and pictures of one room, and the finishes that furniture asks for by name.

    ``surface(name)`` repeats a texture by the metre; ``paint(group)`` is one plain colour;
    ``printed(kind)`` shows one cell of the atlas; ``glowing(...)`` gives light.
    """

    def __init__(self, rng: np.random.Generator, room: str) -> None:
        """
        Draw everything.

        :param room: room type, which sets the choice of floors and walls.
        """
        self.rng = rng
        self.textures: dict[str, Picture] = {}
        self.materials: dict[str, Material] = {}
        self.tiles: dict[str, float] = {}
        self._shared: dict[str, Finish] = {}
        self.mirror = 0.  # share of the light that a polished floor reflects like a mirror
        self._floor_and_walls(room)
        for name in ('wood', 'wood2'):
            self._add(name, 'wood', wood_colours(rng, 1)[0], rng.uniform(.5, 1.2),
                      rng.uniform(0, .5))
        for name in ('fabric', 'fabric2', 'fabric3'):
            group = rng.choice(['grey', 'dark', 'colour', 'pastel', 'brown'])
            self._add(name, 'fabric', _group_colours(rng, str(group), 1)[0],
                      rng.uniform(.15, .8), 0)
        self._add('stone', 'stone', rng.uniform(.1, .9) * rng.uniform(.9, 1, 3),
                  rng.uniform(.5, 1.5), .5)
        self._add('metal', 'metal', rng.uniform(.35, .85) * rng.uniform(.95, 1, 3), .6, .6)
        self.textures['atlas'] = make_atlas(rng)
        self.materials['print'] = Material('atlas', float(rng.uniform(0, .5)), .4)
        self.materials['screen'] = Material('atlas', .4, .8, float(rng.uniform(.2, 1)))
        self.materials['view'] = Material('atlas', 0, 0, float(rng.uniform(.6, 2.5)))
        self._palette()

    def _add(self, name: str, pattern: str, colour: NDArray[np.float64], tile: float,
             specular: float) -> None:
        # Large surfaces are muted; only now and then one shouts.
        muted = 0. if pattern in ('wood', 'planks', 'brick') or self.rng.random() < .2 else .6
        colour = colour * (1 - muted) + colour.mean() * muted
        self.textures[name] = PATTERNS[pattern](self.rng, colour)
        self.materials[name] = Material(name, float(specular), float(self.rng.uniform(.1, .8)))
        self.tiles[name] = float(tile)

    def _floor_and_walls(self, room: str) -> None:
        rng = self.rng
        floors = {'office': ['carpet', 'carpet', 'planks', 'concrete', 'tiles'],
                  'lab': ['concrete', 'tiles', 'concrete', 'carpet'],
                  'corridor': ['concrete', 'carpet', 'tiles', 'stone', 'planks'],
                  'kitchen': ['tiles', 'planks', 'stone', 'carpet', 'concrete'],
                  'living': ['planks', 'planks', 'carpet', 'tiles', 'stone'],
                  'bedroom': ['planks', 'carpet', 'carpet'],
                  'storage': ['concrete', 'concrete', 'tiles'],
                  'cafe': ['planks', 'tiles', 'stone', 'concrete'],
                  'classroom': ['tiles', 'planks', 'stone', 'concrete', 'carpet'],
                  'warehouse': ['concrete'], 'hall': ['concrete', 'concrete', 'tiles', 'planks']}
        floor = str(rng.choice(floors[room]))
        if floor != 'carpet' and rng.random() < .45:
            self.mirror = float(rng.uniform(.05, .35))
        colour = (wood_colours(rng, 1)[0] if floor == 'planks' else
                  _group_colours(rng, str(rng.choice(['grey', 'grey', 'grey', 'brown', 'white',
                                                      'pastel', 'colour'])), 1)[0].clip(.1, 1))
        tile = {'carpet': rng.uniform(.4, 1.2), 'planks': rng.uniform(.7, 1.6),
                'tiles': rng.choice([.4, .8, 1.2, 2.4]), 'concrete': rng.uniform(1, 3),
                'stone': rng.uniform(.6, 2)}[floor]
        self._add('floor', floor, colour, tile,
                  0. if floor == 'carpet' else rng.uniform(0, .6))
        self._add('rug', 'carpet', _group_colours(rng, 'colour', 1)[0], 1., 0.)
        pattern = str(rng.choice(['plaster', 'plaster', 'plaster', 'plaster', 'brick', 'concrete',
                                  'wood', 'fabric' if room in ('living', 'bedroom') else 'tiles']))
        pale = _group_colours(rng, str(rng.choice(['white', 'white', 'white', 'pastel', 'grey'])),
                              1)[0]
        self._add('wall', 'plaster' if pattern != 'concrete' else pattern, pale,
                  rng.uniform(1.5, 4), rng.uniform(0, .2))
        accent = wood_colours(rng, 1)[0] if pattern == 'wood' else (
            np.array([.6, .35, .28]) * rng.uniform(.6, 1.3, 3) if pattern == 'brick' else
            _group_colours(rng, str(rng.choice(['white', 'pastel', 'colour', 'grey'])), 1)[0])
        self._add('wall2', pattern, accent.clip(0, 1),
                  .9 if pattern == 'brick' else rng.uniform(.6, 2), rng.uniform(0, .3))
        ceiling = str(rng.choice(['plaster', 'plaster', 'acoustic', 'concrete']))
        self._add('ceiling', ceiling, rng.uniform(.7, .97) * rng.uniform(.96, 1, 3),
                  .6 if ceiling == 'acoustic' else 3., 0.)

    def _palette(self) -> None:
        colours = np.concatenate([_group_colours(self.rng, group, count)
                                  for group, count in GROUPS.items()]).clip(0, 1)
        cells = (colours * 255).astype(np.uint8).reshape(PALETTE_SIDE, PALETTE_SIDE, 3)
        self.textures['palette'] = cells.repeat(PALETTE_PIXELS, 0).repeat(PALETTE_PIXELS, 1)
        self.materials['paint'] = Material('palette', float(self.rng.uniform(0, .15)), .1)
        self.materials['gloss'] = Material('palette', float(self.rng.uniform(.3, .9)),
                                           float(self.rng.uniform(.3, .9)))
        self.materials['lamp'] = Material('palette', 0, 0, 1.5)

    def surface(self, name: str) -> Finish:
        """Return the finish of a repeated texture: 'wall', 'floor', 'wood', 'fabric', ..."""
        return Finish(name, self.tiles[name])

    def paint(self, *groups: str, material: str | None = None) -> Finish:
        """Return one plain colour out of ``groups``, matt or glossy."""
        group = str(self.rng.choice(groups or tuple(GROUPS)))
        first = 0
        for name, count in GROUPS.items():
            if name == group:
                break
            first += count
        y, x = divmod(first + int(self.rng.integers(0, GROUPS[group])), PALETTE_SIDE)
        u, v = (x + .5) / PALETTE_SIDE, (y + .5) / PALETTE_SIDE
        chosen = material or ('gloss' if self.rng.random() < .3 else 'paint')
        return Finish(chosen, 1., (u, v, u, v))

    def printed(self, kind: str, material: str = 'print') -> Finish:
        """Return one cell of the atlas."""
        return Finish(material, 1., atlas_cell(kind, int(self.rng.integers(0, KINDS[kind]))))

    def shared(self, name: str, *groups: str) -> Finish:
        """Return one finish that all things of this name in the room share."""
        if name not in self._shared:
            if groups == ('wood',):
                self._shared[name] = self.surface(str(self.rng.choice(['wood', 'wood2'])))
            elif groups == ('fabric',):
                self._shared[name] = self.surface(
                    str(self.rng.choice(['fabric', 'fabric2', 'fabric3'])))
            else:
                self._shared[name] = self.paint(*groups)
        return self._shared[name]
