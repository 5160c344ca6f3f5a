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
Score the label-free check against labels: right, harm or missed.

    .venv/bin/python benchmark/label_free_check.py --runs runs/benchmark/quick [MORE ...] \
        --data ../shared/data --json results/label_free_check.json \
        --markdown docs/adaptation.md

The networks are those that ``mde benchmark`` has trained (cross_camera and cross_camera_real),
each compared with its source_only, and ways to spoil that one's batch statistics. The check sees
no label of a target; labels of the score frames only say whether it was right.
"""

import argparse
from collections.abc import Iterator
import copy
from dataclasses import dataclass
import json
from pathlib import Path
import shlex
import sys
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
import torch

from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import load_weights, WeightCard
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.network.batch_norm import batch_norms, TARGET
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.adapt_data import open_set
from mde_ros.onsite.check import judge, measure, SOURCE_RISE
from mde_ros.onsite.check_motion import motion_points
from mde_ros.onsite.check_pictures import CheckPicture, source_pictures, target_pictures
from mde_ros.onsite.frame_subset import hold_out
from mde_ros.onsite.target_statistics import precise_statistics

FRAMES, MOTION_PAIRS = 24, 60
# A change of the labelled error that counts.
NOTICEABLE = .01
# A source that must not be forgotten.
STRICT = .03
COLUMNS = ('raw', 'median_scaled')
# The page keeps its text; what stands between these lines is the table.
BEGIN, END = '<!-- table -->', '<!-- end of table -->'
SELECTED, END_SELECTED = '<!-- selection -->', '<!-- end of selection -->'
ORACLE = 'oracle'


@dataclass(frozen=True)
class Case:
    """
    A target of a scenario.

    :param learnt: unlabelled frames whose every fifth block is held out.
    :param score: labelled frames that only say whether the check was right.
    :param sources: labelled frames of the source.
    """

    scenario: str
    target: str
    learnt: IndexedDataset
    score: IndexedDataset
    sources: list[IndexedDataset]


def cases(runs: Path, data: Path) -> Iterator[Case]:
    """Yield the targets whose source_only is there."""
    rendered = runs / 'data'
    if (runs / 'cross_camera').exists():
        adapt = RgbdFolder(rendered / 'camera_b_adapt', None, False)
        yield Case('cross_camera', 'camera_b', adapt, RgbdFolder(rendered / 'camera_b_score'),
                   [hold_out(RgbdFolder(rendered / 'camera_a_source'))[1]])
    kinects = [RgbdFolder(data / name, 'score') for name in (
        'kinect1_7scenes_redkitchen', 'kinect1_tum_fr1') if (data / name).exists()]
    for path in sorted((runs / 'cross_camera_real').glob('*/source_only')):
        target = path.parent.name
        if target != 'source':
            yield Case('cross_camera_real', target, open_set(f'{data / target}:adapt', False),
                       RgbdFolder(data / target, 'score'), list(kinects))


def spoilt(network: DepthNetwork, pictures: list[CheckPicture]
           ) -> Iterator[tuple[str, DepthNetwork]]:
    """Yield a network with other batch statistics of the target, by name."""
    images = torch.cat([picture.tensor() for picture in pictures])
    yield 'statistics of the target', precise_statistics(network, images.split(8))
    yield 'statistics of one picture', precise_statistics(network, [images[:1].repeat(4, 1, 1, 1)])
    yield 'statistics of black pictures', precise_statistics(network, [torch.zeros_like(images)])
    for sigma in (.1, .3, 1.):
        found = copy.deepcopy(network)
        random = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for layer in batch_norms(found):
                mean, variance = layer.statistics(TARGET)
                mean += sigma * variance.sqrt() * torch.randn(mean.shape, generator=random)
                variance *= torch.exp(sigma * torch.randn(variance.shape, generator=random))
        yield f'random statistics, {sigma:g} deviations', found


def candidates(case: Case, runs: Path, seed: str, base: DepthNetwork,
               pictures: list[CheckPicture]) -> Iterator[tuple[str, DepthNetwork]]:
    """Yield every network that could replace the base of a seed; spoilt ones of the first."""
    yield f'the same, {seed}', base
    folder = runs / case.scenario / case.target
    for path in sorted(folder.glob(f'*/{seed}/weights.safetensors')):
        yield f'{path.parts[-3]}, {seed}', load_weights(path)[0]
    if seed == 'seed0':
        yield from spoilt(base, pictures)


def labelled(network: DepthNetwork, card: WeightCard, score: IndexedDataset) -> dict[str, float]:
    """Return Abs Rel on the score frames by column."""
    result = evaluate(score, DepthEstimator((network, card))).to_dict()
    return {column: result[column]['abs_rel'] for column in COLUMNS}


def rows_of(case: Case, runs: Path) -> Iterator[dict[str, Any]]:
    """Yield a row for each candidate of a case, seed by seed."""
    for path in sorted((runs / case.scenario / 'source' / 'source_only').glob(
            'seed*/weights.safetensors')):
        yield from rows_of_seed(case, runs, path.parent.name, *load_weights(path))


def rows_of_seed(case: Case, runs: Path, seed: str, base: DepthNetwork, card: WeightCard
                 ) -> Iterator[dict[str, Any]]:
    """Yield a row for each candidate that started from one source_only."""
    learnt, held = hold_out(case.learnt)
    area = card.input_area
    pictures = target_pictures([held], FRAMES, area)
    sources = source_pictures(case.sources, FRAMES, area)
    motion = motion_points([case.learnt], MOTION_PAIRS, area)
    before, error = measure(base, pictures, sources, motion), labelled(base, card, case.score)
    for name, network in candidates(
            case, runs, seed, base, target_pictures([learnt], 32, area)):
        measured = measure(network, pictures, sources, motion)
        verdict, strict = (judge(before, measured, rise, True) for rise in (SOURCE_RISE, STRICT))
        after = labelled(network, card, case.score)
        change = {column: after[column] / error[column] - 1 for column in COLUMNS}
        yield {'scenario': case.scenario, 'target': case.target, 'candidate': name,
               'before': error, 'after': after, 'change': change, 'accepted': verdict.accepted,
               'right': rightness(verdict.accepted, change['raw']),
               'accepted_strict': strict.accepted,
               'right_strict': rightness(strict.accepted, change['raw']), 'score': verdict.score,
               'broken': [row.name for row in verdict.rows if not row.kept],
               'ratios': {row.name: row.after / row.before for row in verdict.rows if row.before},
               'motion_pairs': len(motion)}


def rightness(accepted: bool, change: float) -> str:
    """Return right, harm (accepted what is worse) or missed (refused what is better)."""
    if accepted and change > NOTICEABLE:
        return 'harm'
    return 'missed' if not accepted and change < -NOTICEABLE else 'right'


def selection(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """
    Return what the score alone would choose of the trained networks of each target and seed.

    The network before is among them, the oracle is not. Regret is the chosen one's Abs Rel over
    the best one's, less 1.
    """
    found = []
    trained = [row for row in rows if ', seed' in row['candidate']
               and not row['candidate'].startswith((ORACLE, 'the same'))]
    for target in dict.fromkeys(row['target'] for row in trained):
        for seed in sorted({row['candidate'].split(', ')[1] for row in trained
                            if row['target'] == target}):
            among = [row for row in rows if row['target'] == target
                     and row['candidate'] == f'the same, {seed}']
            among += [row for row in trained if row['target'] == target
                      and row['candidate'].endswith(seed)]
            chosen = min(among, key=lambda row: float(row['score']))
            found.append({
                'target': target, 'seed': seed, 'among': len(among),
                'chosen': chosen['candidate'].split(', ')[0],
                **{f'{column}_{name}': value for column in COLUMNS for name, value in (
                    ('chosen', chosen['after'][column]),
                    ('best', min(row['after'][column] for row in among)),
                    ('before', among[0]['before'][column]),
                    ('regret', chosen['after'][column] / min(
                        row['after'][column] for row in among) - 1))}})
    return found


def write_selection(path: Path, rows: list[dict[str, Any]]) -> None:
    """Replace the table of what is selected, between its marker lines."""
    text = path.read_text()
    lines = [('| target, seed | of | chosen | raw: before, chosen, best | regret | '
              'median-scaled: before, chosen, best | regret |'),
             '|---|---:|---|---|---:|---|---:|']
    for row in rows:
        cells = [f"{row['target']}, {row['seed']}", str(row['among']), row['chosen']]
        for column in COLUMNS:
            cells += [', '.join(f'{row[f"{column}_{name}"]:.3f}' for name in (
                'before', 'chosen', 'best')), f'{row[f"{column}_regret"]:.0%}']
        lines.append('| ' + ' | '.join(cells) + ' |')
    path.write_text(text[:text.index(SELECTED)] + f'{SELECTED}\n' + '\n'.join(lines) + '\n'
                    + text[text.index(END_SELECTED):])


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Replace the table of a Markdown page, between its two marker lines."""
    text = path.read_text()
    lines = ['| target | network | raw | median-scaled | score | verdict | | without forgetting |',
             '|---|---|---:|---:|---:|---|---|---|']
    for row in rows:
        errors = [f'{row["before"][c]:.3f} → {row["after"][c]:.3f}' for c in COLUMNS]
        verdict = 'accepted' if row['accepted'] else f'refused: {", ".join(row["broken"])}'
        lines.append('| ' + ' | '.join((
            row['target'], row['candidate'], *errors, f'{row["score"]:+.2f}',
            verdict.rstrip(': '), row['right'], row['right_strict'])) + ' |')
    path.write_text(text[:text.index(BEGIN)] + f'{BEGIN}\n' + '\n'.join(lines) + '\n'
                    + text[text.index(END):])


def main() -> int:
    """Print the table; write --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--runs', type=Path, nargs='+', required=True)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--json', type=Path)
    parser.add_argument('--markdown', type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = Table(title='Abs Rel on labelled score frames and the verdict without labels')
    for heading in ('target', 'network', 'raw', 'median-scaled', 'score', 'verdict', '',
                    f'source + {STRICT:.0%}', 'broken'):
        table.add_column(heading)
    rows = []
    work = [(case, folder) for folder in arguments.runs
            for case in cases(folder, arguments.data)]
    seen = set()
    for case, folder in work:
        for row in rows_of(case, folder):
            # Two runs may have started from the same network, and spoil it alike.
            key = row['target'], row['candidate'], *row['after'].values()
            if key in seen:
                continue
            seen.add(key)
            rows.append(row)
            table.add_row(row['target'], row['candidate'], *(
                f'{row["before"][c]:.3f} > {row["after"][c]:.3f}' for c in COLUMNS),
                f'{row["score"]:+.3f}', 'accepted' if row['accepted'] else 'refused',
                row['right'], row['right_strict'], ' '.join(row['broken']))
    Console(width=170).print(table)
    counts = {key: {word: sum(row[key] == word for row in rows)
                    for word in ('right', 'harm', 'missed')} for key in ('right', 'right_strict')}
    print(counts)
    if arguments.markdown:
        write_table(arguments.markdown, rows)
        write_selection(arguments.markdown, selection(rows))
    if arguments.json:
        command = '.venv/bin/python benchmark/label_free_check.py ' + shlex.join(sys.argv[1:])
        arguments.json.write_text(json.dumps(
            {'command': command, 'counts': counts, 'selection': selection(rows),
             'rows': json.loads(json.dumps(rows, default=np.ndarray.tolist))}, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
