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
Write labelled sets again as a camera would see them through haze, fog or smoke.

    .venv/bin/python benchmark/weather_sets.py SET ... --weather fog_banks --out runs/foggy

Real pictures and depth, rendered weather: a pixel without a reading is taken to be as far as the
nearest pixel that has one. Splits, names and depth stay; licences too, so that what comes
out is for measuring wherever the set is.
"""

import argparse
from dataclasses import replace
import json
from pathlib import Path
import sys

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from mde_ros.camera.weathers import weather_named, WEATHERS
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter


def filled(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return depth without holes: each gets the reading of the nearest pixel that has one."""
    known = np.isfinite(depth) & (depth > 0)
    if known.all() or not known.any():
        return depth
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    readings = np.zeros(labels.max() + 1, np.float32)
    readings[labels[known]] = depth[known]
    return readings[labels]


def write_weathered(path: Path, out: Path, weather: str, seed: int) -> int:
    """
    Write one set in a weather; return its number of frames. What is there is not made again.

    :param path: labelled RGB-D folder.
    :param seed: of the air; each frame has its own.
    """
    source = RgbdFolder(path)
    meta = json.loads((path / 'meta.json').read_text())
    air = weather_named(weather)
    kept = {key: meta[key] for key in ('splits', 'sequence', 'depth_stats') if key in meta}
    first = source.get(0)
    assert first is not None
    with RgbdFolderWriter(out, first.intrinsics, camera=str(meta.get('camera', '')),
                          licence=str(meta.get('licence', '')),
                          source=f'{path.name} in {weather}, seed {seed}', **kept) as writer:
        for number in range(len(source)):
            frame = source.get(number)
            if frame is None or frame.depth is None or frame.name in writer:
                continue
            image = air.apply(frame.image, filled(frame.depth), frame.intrinsics,
                              np.random.default_rng((seed, number)))
            writer.write(replace(frame, image=image))
        return len(writer)


def main() -> int:
    """Write all sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('sets', nargs='+', type=Path)
    parser.add_argument('--weather', choices=[w for w in WEATHERS if w != 'clear'],
                        default='fog_banks')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, required=True)
    arguments = parser.parse_args()
    for path in arguments.sets:
        count = write_weathered(path, arguments.out / path.name, arguments.weather,
                                arguments.seed)
        Console().print(f'{path.name}: {count} frames in {arguments.weather}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
