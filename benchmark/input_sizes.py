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
Score weights at several sizes of their input, also as cameras of fewer pixels would see the sets.

    .venv/bin/python benchmark/input_sizes.py SET ... --cameras 192x144 160x120
        --json results/input_sizes.json --markdown docs/speed.md

The rows of a camera show what its pictures are enlarged or reduced to: the mean over the sets of
Abs Rel, and of the logarithm of estimate over truth (below 0: estimated too near).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
import json
import math
from pathlib import Path
import shlex
import sys
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from mde_ros.benchmarks.input_sizes import score_part
from mde_ros.camera.resize import network_size
from mde_ros.command_line.arguments import parse_size
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.network.complexity import count

COLUMNS = ('camera', 'input', 'GMACs', 'raw', 'median-scaled', 'log scale')
BEGIN, END = '<!-- input sizes -->', '<!-- end of input sizes -->'
INPUTS = ('160x120', '192x144', '256x192', '320x240', '384x288', '448x336')
OWN = 'own'


class SmallerCamera(RgbdFolder):
    """
    The frames of a folder that are scored, as a camera with fewer pixels would have them.

    :param size: (width, height) of the camera; None leaves the frames as they are.
    """

    def __init__(self, path: Path, size: tuple[int, int] | None) -> None:
        super().__init__(path, split=score_part(path).split)
        self.size = size

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises mde_ros.datasets.frame.FrameError: when it cannot be read.
        """
        frame = super().read(index)
        if self.size is None or frame.depth is None:
            return frame
        return replace(
            frame, image=np.asarray(cv2.resize(
                frame.image, self.size, interpolation=cv2.INTER_AREA), np.uint8),
            depth=np.asarray(cv2.resize(
                frame.depth, self.size, interpolation=cv2.INTER_NEAREST_EXACT), np.float32),
            intrinsics=frame.intrinsics.resized(*self.size))


def score(path: Path, estimator: DepthEstimator, size: tuple[int, int] | None
          ) -> tuple[float, float, float]:
    """Return Abs Rel raw and median-scaled of a folder, and the log scale."""
    found = evaluate(SmallerCamera(path, size), estimator).to_dict()
    return (found['raw']['abs_rel'], found['median_scaled']['abs_rel'],
            -math.log(found['scale']['median_ratio']))


def write_table(path: Path, model: str, rows: Sequence[Sequence[str]]) -> None:
    """Replace the table of a Markdown page, between its two marker lines."""
    text = path.read_text()
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    lines = [f'Mean over the sets, `{model}`:', '', *('| ' + ' | '.join(row) + ' |' for row in (
        COLUMNS, ('---', '---', *['---:'] * (len(COLUMNS) - 2)), *rows))]
    path.write_text(f'{before}{BEGIN}\n' + '\n'.join(lines) + f'\n{after}')


def main() -> int:
    """Score, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('sets', nargs='+', type=Path, help='labelled RGB-D folders, 4:3')
    parser.add_argument('--cameras', nargs='+', type=parse_size, default=[],
                        metavar='WIDTHxHEIGHT', help='besides that of the sets')
    parser.add_argument('--inputs', nargs='+', type=parse_size, metavar='WIDTHxHEIGHT',
                        default=[parse_size(text) for text in INPUTS])
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--threads', type=int)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    table = Table(title='Abs Rel')
    for column in COLUMNS:
        table.add_column(column)
    rows: list[dict[str, Any]] = []
    for camera in (None, *arguments.cameras):
        for width, height in arguments.inputs:
            if camera is not None and width < camera[0]:
                continue
            estimator = DepthEstimator(arguments.weights, input_area=width * height,
                                       threads=arguments.threads)
            seen = network_size(*(camera or (640, 480)), estimator.input_area)
            found = {path.name: score(path, estimator, camera) for path in arguments.sets}
            raw, median, log_scale = np.mean(list(found.values()), 0).tolist()
            rows.append({
                'camera': OWN if camera is None else f'{camera[0]}x{camera[1]}',
                'input': f'{seen[0]}x{seen[1]}', 'usual': estimator.input_area ==
                estimator.card.input_area, 'gmacs': count(estimator.engines.network, *seen).gmacs,
                'raw': raw, 'median_scaled': median, 'log_scale': log_scale, 'sets': found})
            print(rows[-1]['camera'], rows[-1]['input'], f'{raw:.3f} {median:.3f}', flush=True)
    texts = [(row['camera'], f"**{row['input']}**" if row['usual'] else row['input'],
              f"{row['gmacs']:.2f}", f"{row['raw']:.3f}", f"{row['median_scaled']:.3f}",
              f"{row['log_scale']:+.2f}") for row in rows]
    for text in texts:
        table.add_row(*text)
    Console(width=150).print(table)
    model = DepthEstimator(arguments.weights).model_id
    if arguments.markdown:
        write_table(arguments.markdown, model, texts)
    if arguments.json:
        command = '.venv/bin/python benchmark/input_sizes.py ' + shlex.join(sys.argv[1:])
        arguments.json.write_text(json.dumps(
            {'command': command, 'model': model, 'rows': rows}, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
