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
Four simulated views of every room type on one sheet: the picture of docs/simulation.md.

    .venv/bin/python benchmark/room_pictures.py docs/simulation.jpg --seed 50
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.command_line.arguments import parse_size
from mde_ros.simulation.recipes import RECIPES
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.scenes import render_scene, Settings

COLUMNS, VIEWS = 2, 4


def sheet(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """Return the sheet, BGR, two room types a row."""
    renderer = Renderer(width, height)
    strips = []
    for number, kind in enumerate(RECIPES):
        frames, _ = render_scene(renderer, Settings(
            seed=seed + number, width=width, height=height, views=VIEWS, room=kind), 0)
        strip = np.hstack([frame.image[..., ::-1] for frame in frames])
        for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(strip, kind, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, .45, colour, thick,
                        cv2.LINE_AA)
        strips.append(strip)
    renderer.close()
    strips += [np.zeros_like(strips[0])] * (-len(strips) % COLUMNS)
    rows = [np.hstack(strips[k:k + COLUMNS]) for k in range(0, len(strips), COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', type=Path, help='picture to write')
    parser.add_argument('--seed', type=int, default=4)
    parser.add_argument('--size', type=parse_size, default=(200, 150), metavar='WxH',
                        help='of one view')
    arguments = parser.parse_args()
    if not cv2.imwrite(str(arguments.out), sheet(arguments.seed, *arguments.size)):
        raise SystemExit(f'{arguments.out}: cannot be written: give a .jpg or .png in a folder '
                         'that exists')


if __name__ == '__main__':
    main()
