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
Depth pictures of real frames, and how flat their floors are.

    .venv/bin/python benchmark/real_pictures.py DATA --sets xtion_ist_a d435_lab_floor \
        --out runs/real_pictures --json results/real_floors.json

Frames are spread over the split 'score' of each set. A sheet has a row a frame: image, reference,
estimate in the same colours. The floor (or table) is found in the reference; the plane that fits
the estimated points of its pixels best says how flat it came out: the residual is the root mean
square of their distance from that plane over the camera's distance from it, the tilt is its angle
to the reference's floor. Pictures stay where they are made: the frames belong to others.
"""

import argparse
from dataclasses import dataclass
import json
from pathlib import Path
import shlex
import sys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mde_ros.camera.geometry import depth_to_points
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.anchors.camera_height import CameraHeight, fit_floor, Floor
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.colour import colour_depth

# Share of the camera's height that a reading of the floor may lie off it.
ON_FLOOR = .03
FEWEST = 1000
TILE = 240


@dataclass(frozen=True)
class Flatness:
    """
    A floor as estimated.

    :param residual: of the best plane, a share of the camera's height over it.
    :param tilt: degrees between that plane and the floor of the reference.
    """

    residual: float
    tilt: float


def floor_pixels(reference: NDArray[np.float32], intrinsics: Intrinsics
                 ) -> tuple[Floor, NDArray[np.bool_]] | None:
    """Return the floor in reference depth H x W and its pixels, None where there is none."""
    floor = fit_floor(reference, intrinsics, CameraHeight(1.))
    if floor is None:
        return None
    points = depth_to_points(reference, intrinsics)
    with np.errstate(invalid='ignore'):
        on = np.abs(points @ floor.down / floor.height - 1) < ON_FLOOR
    return (floor, on) if on.sum() >= FEWEST else None


def flatness(depth: NDArray[np.float32], intrinsics: Intrinsics, floor: Floor,
             on: NDArray[np.bool_]) -> Flatness:
    """Return how flat the pixels ``on`` are in depth H x W, and how tilted."""
    points = depth_to_points(depth, intrinsics)[on & np.isfinite(depth)].astype(np.float64)
    plane = np.linalg.lstsq(points, np.ones(len(points)), rcond=None)[0]
    residual = float(np.sqrt(np.mean((points @ plane - 1) ** 2)))
    cosine = float(plane @ floor.down / np.linalg.norm(plane))
    return Flatness(residual, float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))


def row_of(frame: Frame, depth: NDArray[np.float32], title: str) -> NDArray[np.uint8]:
    """Return image, reference and estimate side by side, in the reference's range of colours."""
    reference = frame.depth
    assert reference is not None
    low, high = (float(np.nanpercentile(reference, rank)) for rank in (2, 98))
    tiles = [frame.image, *(colour_depth(d, low * .8, high * 1.2) for d in (reference, depth))]
    width = round(TILE * frame.image.shape[1] / frame.image.shape[0])
    row = np.hstack([cv2.resize(tile, (width, TILE), interpolation=cv2.INTER_AREA)
                     for tile in tiles])
    cv2.putText(row, title, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, .5, (255, 255, 255), 1,
                cv2.LINE_AA)
    return np.asarray(row, np.uint8)


def look_at(folder: Path, estimator: DepthEstimator, count: int
            ) -> tuple[list[NDArray[np.uint8]], list[dict[str, Any]]]:
    """Return rows of pictures, and the floors of all frames of the split 'score'."""
    frames = RgbdFolder(folder, split='score')
    chosen = set(np.linspace(0, len(frames) - 1, count).round().astype(int).tolist())
    rows, floors = [], []
    for number, frame in enumerate(frames):
        assert frame.depth is not None
        depth = estimator.estimate(frame.image, frame.intrinsics).depth
        if number in chosen:
            error = float(np.nanmean(np.abs(depth / frame.depth - 1)))
            rows.append(row_of(frame, depth, f'{folder.name} {frame.name}: {error:.2f}'))
        if (found := floor_pixels(frame.depth, frame.intrinsics)) is not None:
            estimated = flatness(depth, frame.intrinsics, *found)
            reference = flatness(frame.depth, frame.intrinsics, *found)
            floors.append({'frame': frame.name, 'residual': estimated.residual,
                           'tilt': estimated.tilt, 'reference_residual': reference.residual})
    return rows, floors


def main() -> int:
    """Write the sheets, print the floors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path)
    parser.add_argument('--sets', nargs='+', required=True)
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--profile', nargs='*', default=[], metavar='SET=FILE',
                        help='camera profiles of sets')
    parser.add_argument('--count', type=int, default=2, help='pictures of each set')
    parser.add_argument('--threads', type=int)
    parser.add_argument('--out', type=Path, default=Path('runs/real_pictures'))
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args()
    profiles = dict(word.split('=', 1) for word in arguments.profile)
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Table('set', 'frames with a floor', 'residual, median', 'of the reference',
                  'tilt, median')
    found: dict[str, Any] = {}
    for name in arguments.sets:
        estimator = DepthEstimator(arguments.weights, profile=profiles.get(name, ''),
                                   threads=arguments.threads)
        rows, floors = look_at(arguments.data / name, estimator, arguments.count)
        cv2.imwrite(str(arguments.out / f'{name}.png'),
                    cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))
        found[name] = {'model': estimator.model_id, 'floors': floors}
        medians = [float(np.median([floor[key] for floor in floors])) if floors else float('nan')
                   for key in ('residual', 'reference_residual', 'tilt')]
        table.add_row(name, str(len(floors)), f'{medians[0]:.1%}', f'{medians[1]:.1%}',
                      f'{medians[2]:.1f} degrees')
    Console(width=120).print(table)
    print(f'pictures: {arguments.out}')
    if arguments.json:
        arguments.json.write_text(json.dumps({
            'command': '.venv/bin/python benchmark/real_pictures.py '
                       + shlex.join(sys.argv[1:]), 'sets': found}, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
