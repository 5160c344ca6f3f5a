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

"""
Which cues in the picture does the depth network take scale from? Probed in simulated rooms.

    .venv/bin/python benchmark/scale_cues.py --json results/scale_cues.json --markdown PAGE

Views are rendered again with one cue changed and all else kept. A network that reads scale from
that cue alone would change its depth by a known factor, the ideal. The weight of the cue is the
logarithm of the change over that of the ideal: 0 is not used, 1 is used alone.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
import json
from pathlib import Path
import shlex
from statistics import median
import sys
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.scaling import scale_report
from mde_ros.simulation import room as room_module
from mde_ros.simulation.camera_poses import draw_camera, draw_poses, worth_keeping
from mde_ros.simulation.exposure import expose
from mde_ros.simulation.layout import Layout
from mde_ros.simulation.parts import Parts
from mde_ros.simulation.pose import Pose
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.scenes import scene_seed, TRIES_PER_VIEW

WIDTH, HEIGHT, VIEWS, RESAMPLES = 320, 240, 4, 2000
LARGER, COARSER, TOLD, RISE = 1.25, 1.5, 1.2, .3
PLAIN, FLAT, BARE, FOCAL = 'plain', 'no textures', 'bare', f'focal length told x{TOLD}'
THINGS, TEXTURES = f'things x{LARGER}', f'textures x{COARSER}'
LOWER, HIGHER = f'camera {RISE} m lower', f'camera {RISE} m higher'
SLOPE, AT_DEPTH = 'camera height, slope', 'camera height, slope at equal depth'
RISES = {LOWER: -RISE, HIGHER: RISE}
IDEALS = {THINGS: 1 / LARGER, TEXTURES: 1 / COARSER, FOCAL: TOLD, SLOPE: -1., AT_DEPTH: -1.}
PITCHES = {'down': (-90, -20), 'level': (-20, 5), 'up': (5, 90)}  # degrees above the horizon
# Metres that a camera keeps from things; relative difference of depth on one surface; of pixels.
MARGIN, SAME, FEWEST = .1, .01, .05
BEGIN, END = '<!-- scale cues -->', '<!-- end of scale cues -->'
COLUMNS = {'views': 'd', 'scale': '.3f', 'spread': '.1%', 'change': '.3f', 'low': '.3f',
           'high': '.3f', 'ideal': '.2f', 'weight': '.2f'}
Shot = tuple[Pose, Intrinsics, NDArray[np.uint8], NDArray[np.float32]]  # camera told, true depth


class _Things(Parts):
    """Furniture, clutter and people, scaled by ``factor`` about their place on the floor."""

    factor = 1.

    def place(self, other: Parts, *where: Any, **turn: Any) -> None:
        scaled = Parts()
        scaled.pieces = [replace(piece, vertices=piece.vertices * self.factor)
                         for piece in other.pieces if self.factor]
        super().place(scaled, *where, **turn)

    def box(self, finish: Any, centre: Any, *shape: Any, **turn: Any) -> None:
        rug = Parts()  # the only thing that recipes do not place
        rug.box(finish, (0, 0, centre[2]), *shape, **turn)
        self.place(rug, *centre[:2])


def build(seed: int, factor: float = 1.) -> room_module.Room:
    """Return the room of a seed with its things scaled where they are; 0 leaves them out."""
    def layout(*shell: Any) -> Layout:
        plan, things = Layout(*shell), _Things()
        # One list: the shell, and what hangs on it, enter it past the recipes.
        things.pieces, things.factor, plan.parts = plan.parts.pieces, factor, things
        return plan

    with patch.object(room_module, 'Layout', layout):
        room = room_module.build_room(seed)
    grow = max(0., factor - 1)  # to whichever side it is, no camera stands in it
    for k, old in enumerate(room.plan.solids):
        wide, deep = grow * (old.x1 - old.x0), grow * (old.y1 - old.y0)
        room.plan.solids[k] = replace(old, x0=old.x0 - wide, y0=old.y0 - deep, x1=old.x1 + wide,
                                      y1=old.y1 + deep, z1=old.z1 * (1 + grow))
    return room


def coarser(room: room_module.Room, factor: float) -> room_module.Room:
    """Return the room with its repeated textures drawn ``factor`` times as large."""
    for piece in room.plan.parts.pieces:
        piece.uvs = piece.uvs / (factor if piece.material in room.look.tiles else 1)
    for name in room.look.tiles:  # of the floor that mirrors, which the renderer adds
        room.look.tiles[name] *= factor
    return room


def flat(room: room_module.Room) -> room_module.Room:
    """Return the room with its repeated textures replaced by their mean colour."""
    for name in room.look.tiles:
        room.look.textures[name][:] = room.look.textures[name].mean((0, 1)).round()
    return room


def shoot(renderer: Renderer, seed: int) -> list[dict[str, Shot]]:
    """Return views of a room, each exposed alike in all variants where its camera is free."""
    def shot(number: int, pose: Pose, camera: Intrinsics) -> Shot:
        image, depth = renderer.view(pose, camera)
        return pose, camera, expose(image, depth, np.random.default_rng((seed, number))), depth

    plain, rng, views = build(seed), np.random.default_rng(seed + 1), list[dict[str, Shot]]()
    renderer.open(plain)
    for _, (_, pose) in zip(range(VIEWS * TRIES_PER_VIEW), draw_poses(rng, plain.plan)):
        camera = draw_camera(rng, WIDTH, HEIGHT)
        if len(views) < VIEWS and worth_keeping(*(first := shot(len(views), pose, camera))[2:]):
            told = replace(camera, fx=TOLD * camera.fx, fy=TOLD * camera.fy)
            views.append({PLAIN: first, FOCAL: (pose, told, *first[2:])})
    for name, room in ((LOWER, plain), (HIGHER, plain), (THINGS, build(seed, LARGER)),
                       (TEXTURES, coarser(build(seed), COARSER)), (FLAT, flat(build(seed))),
                       (BARE, build(seed, 0))):
        renderer.open(room)
        for number, view in enumerate(views):
            pose, camera, *_ = view[PLAIN]
            pose = replace(pose, z=pose.z + RISES.get(name, 0))
            if room.plan.free_at(pose.x, pose.y, pose.z, MARGIN):
                view[name] = shot(number, pose, camera)
    return views


class Measured(NamedTuple):
    """One view in one variant; ``scale`` is the median of prediction / truth over pixels."""

    room: int
    variant: str
    pitch: float  # degrees
    scale: float
    change: float  # of the scale, against plain
    lower: float = 1.  # height of the camera in plain over that here
    nearer: float = 1.  # median true depth in plain over that here


def measure(room: int, view: dict[str, Shot], estimator: DepthEstimator) -> Iterator[Measured]:
    """Yield the scales of one view."""
    ratios = {name: estimator.estimate(image, camera).depth / depth
              for name, (_, camera, image, depth) in view.items()}
    first, _, _, truth = view[PLAIN]
    for name, (pose, _, _, depth) in view.items():
        seen, known = np.isfinite(ratios[name]), np.isfinite(ratios[PLAIN])
        if name not in RISES:
            # Only the shell that both show counts, in plain too: its truth is the same, so that
            # nothing but the cue moves the scale. A view without things or shell tells nothing.
            known = seen = seen & known & (np.abs(depth / truth - 1) < SAME)
            if seen.mean() < FEWEST or (name in (THINGS, BARE) and seen.mean() > 1 - FEWEST):
                continue
        scale = float(np.median(ratios[name][seen]))
        yield Measured(room, name, float(np.degrees(pose.pitch)), scale,
                       scale / float(np.median(ratios[PLAIN][known])), first.z / pose.z,
                       float(np.median(truth[known]) / np.median(depth[seen])))


def over_rooms(rows: list[Measured], statistic: Callable[[list[Measured]], float]) -> list[float]:
    """Return a statistic of views and its 5 to 95 % interval, a bootstrap over rooms."""
    rooms = [[row for row in rows if row.room == room] for room in {row.room for row in rows}]
    draws = np.random.default_rng(0).integers(0, len(rooms), (RESAMPLES, len(rooms)))
    found = [statistic([row for k in draw for row in rooms[k]]) for draw in draws]
    return [statistic(rows), *np.percentile(found, (5, 95)).tolist()]


def height_slope(rows: list[Measured], at_depth: bool) -> float:
    """Return the slope of log scale over log height of the camera, within views."""
    # A lower camera sees nearer things, and scale may err with depth: that can be fitted too.
    moved = -np.log([(row.lower, row.nearer if at_depth else 1) for row in rows])
    return float(np.linalg.lstsq(moved, np.log([row.change for row in rows]), rcond=None)[0][0])


def columns(name: str, rows: list[Measured]) -> dict[str, float | None]:
    """Return one row of the table; None where a network with this cue only is not known."""
    slope, scales = name in (SLOPE, AT_DEPTH), [row.scale for row in rows]
    change, low, high = over_rooms(rows, lambda some: height_slope(
        some, name == AT_DEPTH) if slope else median(row.change for row in some))
    # With all cameras taken to be equally high the world is stretched to that height.
    ideal = median(row.lower for row in rows) if name in RISES else IDEALS.get(name)
    weight = ideal and (change / ideal if slope else float(np.log(change) / np.log(ideal)))
    return dict(zip(COLUMNS, (len(rows), median(scales), scale_report(1, scales).ratio_spread,
                              change, low, high, ideal, weight)))


def summary(rows: list[Measured]) -> dict[str, dict[str, float | None]]:
    """Return the table; plain by pitch is compared with all of plain."""
    of = {name: [row for row in rows if row.variant == name]
          for name in (PLAIN, THINGS, TEXTURES, FLAT, BARE, FOCAL, LOWER, HIGHER)}
    of[SLOPE] = of[AT_DEPTH] = of[LOWER] + of[HIGHER]
    for name, (low, high) in PITCHES.items():
        of[f'plain, {name}'] = [row._replace(change=row.scale / median(
            other.scale for other in of[PLAIN])) for row in of[PLAIN] if low <= row.pitch < high]
    return {name: columns(name, some) for name, some in of.items() if some}


def page(found: dict[str, dict[str, float | None]]) -> str:
    """Return the table as Markdown."""
    lines = [['variant', *COLUMNS], ['---', *['---:'] * len(COLUMNS)]]
    lines += [[name, *('-' if row[key] is None else format(row[key], form)
                       for key, form in COLUMNS.items())] for name, row in found.items()]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def main() -> None:
    """Print the table; write --json and --markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rooms', type=int, default=60)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--threads', type=int)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    estimator = DepthEstimator(arguments.weights, threads=arguments.threads)
    renderer = Renderer(WIDTH, HEIGHT)
    found = summary([row for room in range(arguments.rooms)
                     for view in shoot(renderer, scene_seed(arguments.seed, room))
                     for row in measure(room, view, estimator)])
    renderer.close()
    print(table := f'`{estimator.model_id}`, {arguments.rooms} rooms:\n\n{page(found)}')
    if arguments.json:
        arguments.json.write_text(json.dumps({
            'command': '.venv/bin/python benchmark/scale_cues.py ' + shlex.join(sys.argv[1:]),
            'model': estimator.model_id, 'rows': found}, indent=1) + '\n')
    if arguments.markdown:
        text = arguments.markdown.read_text()
        arguments.markdown.write_text(
            text[:text.index(BEGIN)] + f'{BEGIN}\n{table}\n' + text[text.index(END):])


if __name__ == '__main__':
    main()
