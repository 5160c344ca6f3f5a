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

"""What a network that is there reaches at other sizes of its input."""

from collections.abc import Callable, Sequence
import json
from pathlib import Path
from typing import Any

from mde_ros.benchmarks.claims import read_json, write_json
from mde_ros.benchmarks.data import Part
from mde_ros.benchmarks.summary import ERROR, plain_mean
from mde_ros.camera.resize import network_size
from mde_ros.estimation.estimator import DepthEstimator, TYPICAL_SIDES
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.network.complexity import count

METRICS = ('abs_rel', 'rmse', 'delta1')


def score_part(path: Path) -> Part:
    """Return what is scored of an RGB-D folder: its split 'score', or all of it."""
    splits = json.loads((path / 'meta.json').read_text()).get('splits', {})
    return Part(path, 'score' if 'score' in splits else None)


def scored(part: Part, estimator: DepthEstimator, path: Path) -> dict[str, Any]:
    """
    Return the errors on one folder from 0.3 m to 10 m.

    :param path: file that keeps them; one of the same frames is not made again.
    """
    row: dict[str, Any] | None = read_json(path)
    if row is None or row['part'] != part.to_dict():
        found = evaluate(part.open(True), estimator).to_dict()
        seen = estimator.network_intrinsics(part.camera())
        row = {'part': part.to_dict(), 'input': f'{seen.width}x{seen.height}',
               **{column: {name: found[column][name] for name in METRICS} for column in COLUMNS}}
        write_json(path, row)
    return row


def score_input_sizes(weights: str, areas: Sequence[tuple[int, int]], folders: Sequence[Path],
                      out: Path, device: str = 'cpu', say: Callable[[str], None] = lambda _: None
                      ) -> list[dict[str, Any]]:
    """
    Return one row an input area: input of a 4:3 camera, GMACs, errors by folder and their means.

    :param areas: width and height whose product is the number of pixels.
    :param folders: labelled RGB-D folders; without any, errors are left out.
    :param out: folder that keeps the errors.
    """
    rows = []
    for area in areas:
        estimator = DepthEstimator(weights, input_area=area[0] * area[1], device=device)
        size = network_size(*TYPICAL_SIDES, estimator.input_area)
        name = f'{area[0]}x{area[1]}'
        sets = {path.name: scored(score_part(path), estimator,
                                  out / estimator.model_id / name / f'{path.name}.json')
                for path in folders}
        mean = {column: {metric: plain_mean([row[column][metric] for row in sets.values()])
                         for metric in METRICS} for column in COLUMNS} if sets else {}
        rows.append({
            'area': list(area), 'size': list(size), 'input': f'{size[0]}x{size[1]}',
            'shipped': estimator.input_area == estimator.card.input_area,
            'gmacs': round(count(estimator.engines.network, *size).gmacs, 4),
            'sets': sets, 'mean': mean})
        if mean:
            say(f"input {rows[-1]['input']}: mean Abs Rel raw {mean['raw'][ERROR]:.3f}")
    return rows
