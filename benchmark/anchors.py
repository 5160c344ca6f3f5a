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
Measure what scale anchors bring on every folder of a data folder that has both splits.

    .venv/bin/python benchmark/anchors.py DATA --json results/anchors.json \
        --markdown docs/anchors.md

Frames of the split 'score' are scored, raw, after the depth was scaled by what one anchor in the
frames of the split 'adapt' tells. Depth of adapt frames is read as the reading of a tape measure
or a range finder at single pixels, and for the height of the camera, for nothing else.
"""

import argparse
from collections.abc import Iterator
import json
from pathlib import Path
import shlex
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.anchors.camera_height import CameraHeight, fit_floor
from mde_ros.estimation.anchors.estimate import estimate_scale
from mde_ros.estimation.anchors.inputs import AnchorError
from mde_ros.estimation.anchors.ranges import predicted_distance, RangeReading
from mde_ros.estimation.estimator import DepthEstimator, Estimate
from mde_ros.estimation.profile import SiteScale
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.scoring import ScoringOptions

COLUMNS = ('set', 'raw', 'tape, median', 'tape, best to worst', '20 ranges', 'scale and shift',
           'camera height', 'site-scaled')
BEGIN, END = '<!-- table -->', '<!-- end of table -->'
ROAD_MEDIAN = 7.0
TAPES, RANGES, SEED = 5, 20, 0
# The floor is seen in every frame of these.
FLOORS = ('d435_lab_floor',)


class Estimated:
    """Frames in memory and their depth, estimated once and scaled as often as wanted."""

    def __init__(self, path: Path, estimator: DepthEstimator) -> None:
        """Read the split 'score' and run the network on it."""
        source = RgbdFolder(path, split='score')
        self.name, self.skipped = source.name, source.skipped
        self.frames = list(source)
        self.scale, self.model_id = SiteScale(), estimator.model_id
        self._estimates = {id(frame.image): estimator.estimate(frame.image, frame.intrinsics)
                           for frame in self.frames}

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames."""
        return iter(self.frames)

    def warm_up(self, intrinsics: Intrinsics) -> None:
        """Do nothing: the network has run."""

    def estimate(self, image: NDArray[np.uint8], intrinsics: Intrinsics) -> Estimate:
        """Return the kept depth at the present scale."""
        kept = self._estimates[id(image)]
        return Estimate(self.scale.apply(kept.depth), kept.intrinsics, kept.image, {})

    def abs_rel(self, scale: SiteScale, options: ScoringOptions, column: str = 'raw') -> float:
        """Return the error of all frames at a scale."""
        self.scale = scale
        found: float = evaluate(self, self, options).to_dict()[column]['abs_rel']
        return found


def reference(frame: Frame, reading: RangeReading) -> float:
    """Return what a range finder at the camera would read, NaN where there is no depth."""
    assert frame.depth is not None
    truth = Estimate(frame.depth, frame.intrinsics.without_distortion(), frame.image, {})
    return predicted_distance(truth, frame.intrinsics, reading)


def tapes(frames: list[Frame]) -> list[tuple[Frame, float]]:
    """Return frames over the whole recording, and the distance at the centre of each."""
    measured = [(frame, metres) for frame in frames
                if np.isfinite(metres := reference(frame, RangeReading(1.)))]
    chosen = np.linspace(0, len(measured) - 1, min(TAPES, len(measured))).round().astype(int)
    return [measured[i] for i in chosen]


def readings(frames: list[Frame], options: ScoringOptions) -> list[RangeReading]:
    """Return one reading at a random pixel of each of twenty frames."""
    rng = np.random.default_rng(SEED)
    found = []
    for index in np.linspace(0, len(frames) - 1, RANGES).round().astype(int):
        frame = frames[index]
        assert frame.depth is not None
        rows, columns = np.nonzero((frame.depth > options.minimum)
                                   & (frame.depth < options.maximum))
        if len(rows):
            at = rng.integers(len(rows))
            pixel = float(columns[at]), float(rows[at])
            found.append(RangeReading(
                reference(frame, RangeReading(1., '', *pixel)), frame.name, *pixel))
    return found


def true_height(frames: list[Frame]) -> CameraHeight:
    """Return height and pitch of the camera over the floor of the reference depth."""
    floors = [floor for frame in frames[::4] if frame.depth is not None and (
        floor := fit_floor(frame.depth, frame.intrinsics, CameraHeight(1.)))]
    return CameraHeight(float(np.median([floor.height for floor in floors])),
                        float(np.median([floor.pitch for floor in floors])))


def measure(path: Path, estimator: DepthEstimator) -> dict[str, Any] | None:
    """Return the numbers of one folder, None when it lacks labels or splits."""
    meta = json.loads((path / 'meta.json').read_text())
    if not (path / 'depth').is_dir() or not {'adapt', 'score'} <= set(meta.get('splits', {})):
        return None
    road = meta.get('depth_stats', {}).get('median_m', 0) > ROAD_MEDIAN
    options = ScoringOptions(1., 80.) if road else ScoringOptions()
    adapt = list(RgbdFolder(path, split='adapt'))
    scored = Estimated(path, estimator)
    row: dict[str, Any] = {
        'frames': len(scored), 'raw': scored.abs_rel(SiteScale(), options),
        'site_scaled': scored.abs_rel(SiteScale(), options, 'site_scaled')}
    trials: dict[str, list[tuple[str, Any]]] = {
        'tape': [(frame.name, {'frames': [frame], 'tape': metres})
                 for frame, metres in tapes(adapt)],
        'ranges': [('', {'frames': adapt, 'ranges': readings(adapt, options)})],
        'scale_and_shift': [('', {'frames': adapt, 'ranges': readings(adapt, options),
                                  'exponent': True})]}
    if path.name in FLOORS:
        height = true_height(adapt)
        row['camera'] = vars(height)
        trials['camera_height'] = [('', {'frames': adapt, 'camera_height': height})]
    for name, tried in trials.items():
        row[name] = []
        for frame_name, anchor in tried:
            try:
                scale = estimate_scale(estimator, anchor.pop('frames'), **anchor)
            except AnchorError as error:
                row[name].append({'refused': str(error)})
                continue
            row[name].append({**vars(scale), 'frame': frame_name,
                              'abs_rel': scored.abs_rel(scale, options)})
    return row


def cells(name: str, row: dict[str, Any]) -> tuple[str, ...]:
    """Return the row of the table."""
    def one(key: str) -> str:
        found = row.get(key, [])
        if not found:
            return '-'
        return 'refused' if 'refused' in found[0] else f'{found[0]["abs_rel"]:.3f}'
    tape = [found['abs_rel'] for found in row['tape'] if 'abs_rel' in found]
    return (name, f'{row["raw"]:.3f}', f'{np.median(tape):.3f}' if tape else '-',
            f'{min(tape):.3f} to {max(tape):.3f}' if tape else '-', one('ranges'),
            one('scale_and_shift'), one('camera_height'), f'{row["site_scaled"]:.3f}')


def write_table(path: Path, model: str, rows: list[tuple[str, ...]]) -> None:
    """Replace the table of a Markdown page, between its two marker lines."""
    text = path.read_text()
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    lines = [f'Raw Abs Rel of `{model}`:', '', *('| ' + ' | '.join(row) + ' |' for row in (
        COLUMNS, ('---', *['---:'] * (len(COLUMNS) - 1)), *rows))]
    path.write_text(f'{before}{BEGIN}\n' + '\n'.join(lines) + f'\n{after}')


def main() -> int:
    """Print the table; write --json and --markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path)
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--threads', type=int)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    estimator = DepthEstimator(arguments.weights, threads=arguments.threads)
    table = Table(title=f'Raw Abs Rel of {estimator.model_id}')
    for column in COLUMNS:
        table.add_column(column, justify='left' if column == 'set' else 'right')
    sets, rows = {}, []
    for path in sorted(p for p in arguments.data.iterdir() if (p / 'meta.json').exists()):
        found = measure(path, estimator)
        if found is not None:
            sets[path.name] = found
            rows.append(cells(path.name, found))
            table.add_row(*rows[-1])
    Console(width=150).print(table)
    command = '.venv/bin/python benchmark/anchors.py ' + shlex.join(sys.argv[1:])
    if arguments.markdown:
        write_table(arguments.markdown, estimator.model_id, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(
            {'command': command, 'model': estimator.model_id, 'sets': sets}, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
