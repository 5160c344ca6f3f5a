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

"""From rows, one a method and seed, to means, spreads, ratios and the gap closed."""

from collections.abc import Sequence
import math
from typing import Any

import numpy as np

from mde_ros.benchmarks.methods import LFDA, ORACLE, PREDECESSORS, SOURCE_ONLY
from mde_ros.evaluation.scaling import COLUMNS

Row = dict[str, Any]
# The metric that ratios and gaps are of.
ERROR = 'abs_rel'


def mean_spread(values: Sequence[float]) -> dict[str, Any]:
    """Return mean, standard deviation over seeds (n - 1; None for a single one) and count."""
    return {'mean': float(np.mean(values)) if len(values) else None,
            'spread': float(np.std(values, ddof=1)) if len(values) > 1 else None,
            'count': len(values)}


def errors_by_seed(rows: Sequence[Row], method: str, column: str) -> dict[int, float]:
    """Return the error of a method by seed."""
    return {row['seed']: row[column][ERROR] for row in rows if row['method'] == method
            and row[column][ERROR] is not None}


def ratio(ours: dict[int, float], theirs: dict[int, float]) -> dict[str, Any]:
    """Return mean and spread of ours / theirs over the seeds that both have."""
    return mean_spread([ours[seed] / theirs[seed] for seed in sorted(ours)
                        if theirs.get(seed, 0) > 0])


def best_predecessor(rows: Sequence[Row], column: str, besides: str = '') -> str | None:
    """Return the predecessor with the smallest mean error in these rows, None without one."""
    means = {name: float(np.mean(list(found.values()))) for name in PREDECESSORS
             if name != besides and (found := errors_by_seed(rows, name, column))}
    return min(means, key=means.__getitem__) if means else None


def gap_closed(ours: dict[int, float], source: dict[int, float],
               oracle: dict[int, float]) -> float | None:
    """
    Return the share of the gap between source only and oracle that is closed, of the means.

    1 is as good as target labels, 0 is as good as nothing, below 0 is worse than nothing. None
    where the oracle is not better than source only: there is no gap.
    """
    seeds = set(ours) & set(source) & set(oracle)
    if not seeds:
        return None
    mine, low, high = (float(np.mean([one[seed] for seed in seeds]))
                       for one in (ours, source, oracle))
    return (low - mine) / (low - high) if low > high else None


def summarise_target(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the numbers of each method on one target."""
    found: dict[str, Any] = {}
    for method in dict.fromkeys(row['method'] for row in rows):
        own = [row for row in rows if row['method'] == method]
        entry: dict[str, Any] = {
            'seeds': sorted(row['seed'] for row in own),
            'target_labels': own[0]['target_labels'], 'parameters': own[0]['parameters'],
            'input': own[0]['input'], 'gmacs': own[0]['gmacs'],
            'protocol': own[0].get('protocol'),
            'seconds': mean_spread([row['seconds'] for row in own])}
        for column in COLUMNS:
            names = [name for name, value in own[0][column].items() if value is not None]
            entry[column] = {name: mean_spread([
                row[column][name] for row in own if row[column][name] is not None])
                for name in names}
        errors = {column: errors_by_seed(rows, method, column) for column in COLUMNS}
        for other in (SOURCE_ONLY, LFDA):
            entry[f'ratio_to_{other}'] = {
                column: ratio(errors[column], errors_by_seed(rows, other, column))
                for column in COLUMNS}
        entry['ratio_to_best_predecessor'] = {
            column: {'of': best, **ratio(errors[column], errors_by_seed(rows, best, column))}
            for column in COLUMNS if (best := best_predecessor(rows, column, method))}
        entry['gap_closed'] = {
            column: gap_closed(errors[column], errors_by_seed(rows, SOURCE_ONLY, column),
                               errors_by_seed(rows, ORACLE, column)) for column in COLUMNS}
        found[method] = entry
    return found


def over_targets(targets: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """
    Return each method's means over the targets: ratios geometrically, gaps plainly.

    Only methods that all targets have.
    """
    methods = [name for name in next(iter(targets.values()), {})
               if all(name in target for target in targets.values())]
    found: dict[str, Any] = {}
    for method in methods:
        entries = [target[method] for target in targets.values()]
        found[method] = {
            **{f'ratio_to_{other}': {column: geometric_mean([
                entry[f'ratio_to_{other}'].get(column, {}).get('mean') for entry in entries])
                for column in COLUMNS} for other in (SOURCE_ONLY, LFDA, 'best_predecessor')},
            'gap_closed': {column: plain_mean([entry['gap_closed'][column] for entry in entries])
                           for column in COLUMNS},
            ERROR: {column: plain_mean([entry[column][ERROR]['mean'] for entry in entries])
                    for column in COLUMNS}}
    return found


def geometric_mean(values: Sequence[float | None]) -> float | None:
    """Return the geometric mean; None when a value is missing or there is none."""
    logs = [math.log(value) for value in values if value is not None and value > 0]
    return math.exp(sum(logs) / len(logs)) if logs and len(logs) == len(values) else None


def plain_mean(values: Sequence[float | None]) -> float | None:
    """Return the mean; None when a value is missing or there is none."""
    present = [value for value in values if value is not None]
    return sum(present) / len(present) if present and len(present) == len(values) else None


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Return {'targets': {target: {method: numbers}}, 'mean': {method: numbers}}."""
    targets = {name: summarise_target([row for row in rows if row['target'] == name])
               for name in dict.fromkeys(row['target'] for row in rows)}
    return {'targets': targets, 'mean': over_targets(targets)}
