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

"""Scores and pictures of a network before and after, against the simulator's truth."""

from dataclasses import dataclass
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pictures import coloured, titled
from rich.table import Table

from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.errors import MdeError
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile import apply_profile, load_profile, save_profile
from mde_ros.estimation.weights import load_weights
from mde_ros.evaluation.colour import legend

COLUMNS = ('raw', 'site_scaled', 'median_scaled')


@dataclass(frozen=True)
class Row:
    """
    One line of the table.

    :param name: of the network.
    :param profile: file of its profile, '' for the plain weights.
    """

    name: str
    profile: str


class ScoreError(MdeError):
    """The evaluator failed."""


def rows_of(weights: str, profile: Path, out: Path, accepted: bool) -> list[Row]:
    """
    Return the networks to compare: before, after, and after with its scale anchor.

    What was refused is scored too, and named so: nobody runs it.

    A profile holds the scale of its anchor; for a column of its own the same profile is written
    once more without.
    """
    tensors, about = load_profile(profile)
    after = 'after: adapted' if accepted else 'adapted, but refused'
    rows = [Row('before: the weights as shipped', '')]
    if about.scale.source == 'none':
        return [*rows, Row(after, str(profile))]
    network, card = load_weights(weights)
    plain = out / 'without_scale.safetensors'
    save_profile(plain, network, card, apply_profile(network, card, (tensors, about)),
                 name=about.name, camera=about.camera, method=about.method)
    return [*rows, Row(after, str(plain)),
            Row(f'the same, and scale by {about.scale.source} (x {about.scale.factor:.3f})',
                str(profile))]


def evaluate(data: Path, weights: str, row: Row, out: Path, threads: int) -> dict[str, Any]:
    """
    Return the result of ``mde evaluate`` as JSON has it.

    :raises ScoreError: when it fails.
    """
    command = [sys.executable, '-m', 'mde_ros.command_line.main', 'evaluate', str(data),
               '--weights', weights, '--threads', str(threads), '--quiet', '--json', str(out)]
    if row.profile:
        command += ['--profile', row.profile]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True)
    if done.returncode:
        raise ScoreError(f'mde evaluate: {(done.stderr or done.stdout).strip()}')
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def score_table(title: str, rows: list[Row], results: list[dict[str, Any]]) -> Table:
    """Return Abs Rel of each network, and how much lower it is than that of the first."""
    table = Table(title=f'Abs Rel, {title} (lower is better)', title_justify='left')
    table.add_column('')
    for column in COLUMNS:
        table.add_column(column.replace('_', ' '), justify='right')
    for row, result in zip(rows, results):
        cells = []
        for column in COLUMNS:
            value, first = (entry[column]['abs_rel'] for entry in (result, results[0]))
            change = '' if result is results[0] else f' ({100 * (value / first - 1):+.0f} %)'
            cells.append(f'{value:.3f}{change}')
        table.add_row(row.name, *cells)
    return table


def compare_pictures(data: Path, weights: str, rows: list[Row], out: Path, count: int
                     ) -> list[Path]:
    """Draw frames spread over a data set: image, depth before and after, truth; return files."""
    folder = RgbdFolder(data)
    chosen = [round(k) for k in np.linspace(0, len(folder) - 1, count + 2)[1:-1]]
    frames = [folder.read(index) for index in chosen]
    ends = [rows[0], rows[-1]]
    depths = []
    for row in ends:
        estimator = DepthEstimator(weights, profile=row.profile)
        depths.append([estimator.estimate(f.image, f.intrinsics).depth for f in frames])
    paths = []
    for number, frame in enumerate(frames):
        paths.append(out / f'{data.name}_{number}.png')
        picture = compare(frame, depths[0][number], depths[1][number])
        cv2.imwrite(str(paths[-1]), np.ascontiguousarray(picture[..., ::-1]))
    return paths


def compare(frame: Frame, before: NDArray[np.float32], after: NDArray[np.float32]
            ) -> NDArray[np.uint8]:
    """
    Return image, depth before, depth after and true depth in one row, in one range of colours.

    :param before: H x W metres, as ``after``.
    """
    true = frame.depth
    assert true is not None
    height, width = frame.image.shape[:2]
    known = true[np.isfinite(true)]
    near, far = (float(value) for value in np.percentile(known, [1, 99]))
    far = max(far, 1.2 * near)
    size = width, height

    def error(depth: NDArray[np.float32]) -> float:
        there = np.isfinite(true) & np.isfinite(depth)
        return float(np.mean(np.abs(depth[there] - true[there]) / true[there]))

    return np.hstack([
        titled(frame.image, 'image'),
        titled(coloured(before, near, far, size), f'before: Abs Rel {error(before):.3f}'),
        titled(coloured(after, near, far, size), f'after: Abs Rel {error(after):.3f}'),
        titled(coloured(true, near, far, size), 'true depth'),
        titled(legend(height, near, far), '')])
