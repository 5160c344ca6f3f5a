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

"""Means, spreads, ratios and gaps by hand."""

import math
from typing import Any

import pytest

from mde_ros.benchmarks.summary import (
    best_predecessor, gap_closed, geometric_mean, mean_spread, plain_mean, ratio, summarise)


def row(method: str, seed: int, raw: float, target: str = 'a', **more: Any) -> dict[str, Any]:
    columns = {column: {'abs_rel': raw * factor, 'rmse': 1., 'delta1': None}
               for column, factor in (('raw', 1.), ('site_scaled', .5), ('median_scaled', .25))}
    return {'method': method, 'seed': seed, 'target': target, 'target_labels': method == 'oracle',
            'parameters': 7, 'input': '64x48', 'gmacs': {'64x48': .5}, 'seconds': 10. + seed,
            **columns, **more}


ROWS = [row('source_only', 0, .4), row('source_only', 1, .5), row('adabn', 0, .36),
        row('adabn', 1, .5), row('adversary', 0, .5), row('adversary', 1, .4),
        row('lfda', 0, .3), row('lfda', 1, .4), row('oracle', 0, .2), row('oracle', 1, .3)]


def test_mean_and_spread() -> None:
    # Deviations -1, 0, 1: (1 + 0 + 1) / (3 - 1) = 1.
    assert mean_spread([2., 3., 4.]) == {'mean': 3., 'spread': 1., 'count': 3}
    assert mean_spread([2.]) == {'mean': 2., 'spread': None, 'count': 1}
    assert mean_spread([]) == {'mean': None, 'spread': None, 'count': 0}


def test_ratio_is_paired_by_seed() -> None:
    found = ratio({0: .2, 1: .9, 2: 5.}, {0: .4, 1: .6, 3: 1.})
    # 0.5 and 1.5; seeds 2 and 3 have no partner.
    assert found['mean'] == pytest.approx(1.)
    assert found['spread'] == pytest.approx(math.sqrt(.5))
    assert found['count'] == 2


def test_share_of_the_gap() -> None:
    assert gap_closed({0: .3}, {0: .4}, {0: .2}) == pytest.approx(.5)
    assert gap_closed({0: .5}, {0: .4}, {0: .2}) == pytest.approx(-.5)
    # Only seed 1 has all three.
    assert gap_closed({0: .9, 1: .25}, {1: .4}, {0: .1, 1: .2}) == pytest.approx(.75)
    assert gap_closed({0: .3}, {0: .2}, {0: .4}) is None
    assert gap_closed({0: .3}, {0: .4}, {}) is None


def test_best_predecessor_is_neither_source_oracle_nor_itself() -> None:
    assert best_predecessor(ROWS, 'raw') == 'adabn'
    assert best_predecessor(ROWS, 'raw', besides='adabn') == 'adversary'
    assert best_predecessor(ROWS[:2] + ROWS[-4:], 'raw') is None


def test_one_target() -> None:
    lfda = summarise(ROWS)['targets']['a']['lfda']
    assert lfda['seeds'] == [0, 1] and lfda['target_labels'] is False
    assert lfda['raw']['abs_rel']['mean'] == pytest.approx(.35)
    assert lfda['raw']['abs_rel']['spread'] == pytest.approx(.1 / math.sqrt(2))
    assert lfda['median_scaled']['abs_rel']['mean'] == pytest.approx(.0875)
    assert 'delta1' not in lfda['raw']
    # .3 / .4 and .4 / .5.
    assert lfda['ratio_to_source_only']['raw']['mean'] == pytest.approx((.75 + .8) / 2)
    best = lfda['ratio_to_best_predecessor']['raw']
    assert best['of'] == 'adabn'
    assert best['mean'] == pytest.approx((.3 / .36 + .4 / .5) / 2)
    # (.45 - .35) / (.45 - .25).
    assert lfda['gap_closed']['raw'] == pytest.approx(.5)
    assert lfda['seconds']['mean'] == 10.5


def test_without_oracle_or_predecessor() -> None:
    found = summarise(ROWS[:2] + ROWS[6:8])['targets']['a']['lfda']
    assert found['gap_closed'] == {'raw': None, 'site_scaled': None, 'median_scaled': None}
    assert found['ratio_to_best_predecessor'] == {}


def test_over_targets() -> None:
    # Target b: lfda halves the error; target a: .3 / .4. Geometrically sqrt(.75 * .5).
    rows = [r for r in ROWS if r['seed'] == 0] + [
        row('source_only', 0, .8, 'b'), row('lfda', 0, .4, 'b'), row('oracle', 0, .2, 'b')]
    found = summarise(rows)['mean']
    assert set(found) == {'source_only', 'lfda', 'oracle'}
    assert found['lfda']['ratio_to_source_only']['raw'] == pytest.approx(math.sqrt(.375))
    assert found['lfda']['abs_rel']['raw'] == pytest.approx(.35)
    # (.4 - .3) / (.4 - .2) and (.8 - .4) / (.8 - .2).
    assert found['lfda']['gap_closed']['raw'] == pytest.approx((.5 + 2 / 3) / 2)
    # Target b has no predecessor.
    assert found['lfda']['ratio_to_best_predecessor']['raw'] is None


def test_means_of_missing_values() -> None:
    assert geometric_mean([2., 8.]) == pytest.approx(4.)
    assert geometric_mean([2., None]) is None and geometric_mean([]) is None
    assert plain_mean([1., 3.]) == 2. and plain_mean([1., None]) is None
