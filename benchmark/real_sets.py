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
Score weights on every labelled folder of a data folder and print one table.

    .venv/bin/python benchmark/real_sets.py DATA --json results/real_sets.json \
        --markdown docs/real_sets.md

Each folder that has a split 'score' is evaluated on it, others whole. Nothing of the scored
frames is used for anything else. FastDepth's columns come from DATA/peers.json where it exists.
"""

import argparse
import json
from pathlib import Path
import shlex
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.scoring import ScoringOptions

COLUMNS = ('set', 'frames', 'raw', 'site-scaled', 'median-scaled', 'delta1, median-scaled',
           'constant', 'row prior', 'FastDepth raw', 'FastDepth median-scaled')
# The page keeps its text; what stands between these lines is the table.
BEGIN, END = '<!-- table -->', '<!-- end of table -->'
ROAD_MEDIAN = 7.0
PEER = 'FastDepth (NYU)'


def score(path: Path, estimator: DepthEstimator) -> dict[str, Any] | None:
    """Return the numbers of one folder, None when it has no labels."""
    if not (path / 'depth').is_dir():
        return None
    meta = json.loads((path / 'meta.json').read_text())
    split = 'score' if 'score' in meta.get('splits', {}) else None
    road = meta.get('depth_stats', {}).get('median_m', 0) > ROAD_MEDIAN
    options = ScoringOptions(1., 80.) if road else ScoringOptions()
    result = evaluate(RgbdFolder(path, split=split), estimator, options).to_dict()
    return {'range': [options.minimum, options.maximum], 'split': split,
            'frames': result['frames'], 'scale': result['scale'],
            'abs_rel_interval_95': result['abs_rel_interval_95'],
            'floors': {name: floor['median_scaled']['abs_rel']
                       for name, floor in result['floors'].items()},
            **{name: result[name] for name in ('raw', 'site_scaled', 'median_scaled')}}


def write_table(path: Path, model: str, rows: list[tuple[str, ...]]) -> None:
    """Replace the table of a Markdown page, between its two marker lines."""
    text = path.read_text()
    before, after = text[:text.index(BEGIN)], text[text.index(END):]
    lines = [f'Abs Rel of `{model}`:', '', *('| ' + ' | '.join(row) + ' |' for row in (
        COLUMNS, ('---', *['---:'] * (len(COLUMNS) - 1)), *rows))]
    path.write_text(f'{before}{BEGIN}\n' + '\n'.join(lines) + f'\n{after}')


def main() -> int:
    """Print the table; write --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', type=Path)
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--threads', type=int)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    estimator = DepthEstimator(arguments.weights, threads=arguments.threads)
    peers_file = arguments.data / 'peers.json'
    peers = json.loads(peers_file.read_text())['sets'] if peers_file.exists() else {}
    table = Table(title=f'Abs Rel of {estimator.model_id}')
    for column in COLUMNS:
        table.add_column(column, justify='left' if column == 'set' else 'right')
    sets: dict[str, Any] = {}
    rows: list[tuple[str, ...]] = []
    for path in sorted(p for p in arguments.data.iterdir() if (p / 'meta.json').exists()):
        found = score(path, estimator)
        if found is None:
            continue
        peer = peers.get(path.name, {}).get(PEER, {})
        sets[path.name] = found
        numbers = [
            *(found[name]['abs_rel'] for name in ('raw', 'site_scaled', 'median_scaled')),
            found['median_scaled']['delta1'], found['floors']['constant'],
            found['floors']['row_prior'],
            *(peer.get(name, {}).get('abs_rel') for name in ('raw', 'median_scaled'))]
        rows.append((path.name, str(found['frames']['scored']),
                     *('-' if n is None else f'{n:.3f}' for n in numbers)))
        table.add_row(*rows[-1])
    console = Console(width=150)
    console.print(table)
    command = '.venv/bin/python benchmark/real_sets.py ' + shlex.join(sys.argv[1:])
    if arguments.markdown:
        write_table(arguments.markdown, estimator.model_id, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(
            {'command': command, 'model': estimator.model_id, 'sets': sets}, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
