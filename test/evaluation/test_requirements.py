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

"""Thresholds."""

import pytest

from mde_ros.evaluation.requirements import Requirement, RequirementError

RESULT = {
    'raw': {'abs_rel': .3, 'delta1': .7}, 'frames': {'scored': 5},
    'floors': {'constant': {'raw': None, 'median_scaled': {'abs_rel': .35}}}, 'what': 'x'}


@pytest.mark.parametrize('text, holds', [
    ('raw.abs_rel<0.31', True), ('raw.abs_rel<0.3', False), ('raw.abs_rel<=0.3', True),
    ('raw.delta1>.69', True), ('raw.delta1 >= 0.7', True), ('raw.delta1>0.7', False),
    ('frames.scored>=5', True), ('raw.abs_rel<floors.constant.median_scaled.abs_rel', True),
    ('raw.delta1<floors.constant.median_scaled.abs_rel', False),
    # Not measured is not met, on either side.
    ('floors.constant.raw.abs_rel<9', False), ('raw.abs_rel<floors.constant.raw.abs_rel', False)])
def test_judgement(text: str, holds: bool) -> None:
    """Each operator, on its edge."""
    assert Requirement.parse(text).judge(RESULT).holds is holds


def test_the_line_says_what_was_measured() -> None:
    """Value, operator and limit; a field as limit with its value."""
    line = Requirement.parse('raw.abs_rel<floors.constant.median_scaled.abs_rel').judge(
        RESULT).line
    assert line == ('raw.abs_rel = 0.3, required < '
                    'floors.constant.median_scaled.abs_rel = 0.35')


@pytest.mark.parametrize('text', ['raw.abs_rel', 'raw.abs_rel=3', '<3', 'a<b<c', ''])
def test_unreadable(text: str) -> None:
    """The message shows the form."""
    with pytest.raises(RequirementError, match='write FIELD<NUMBER'):
        Requirement.parse(text)


@pytest.mark.parametrize('text, message', [
    ('median.abs_rel<1', "no 'median' in the result; there is: raw, frames"),
    ('raw.absrel<1', "no 'absrel' in raw; there is: abs_rel, delta1"),
    ('raw<1', 'raw is no number; choose one of: abs_rel'),
    ('what<1', 'what is no number'), ('raw.abs_rel<raw.x', "no 'x' in raw"),
    ('raw.abs_rel.p50<1', "no 'p50' in raw.abs_rel")])
def test_unknown_fields_list_the_known_ones(text: str, message: str) -> None:
    """A typing error must not pass for a failed threshold."""
    with pytest.raises(RequirementError, match=message):
        Requirement.parse(text).judge(RESULT)
