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

"""The card of a profile: every field checked, errors that name it."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from mde_ros.estimation.profile_card import (
    FACTORS, FORMAT, ProfileCard, ProfileError, SiteScale, SOURCES)

CARD = ProfileCard(
    'kitchen', 'front', 'base', 'ab' * 32, SiteScale(.7, .05, 'tape', 1),
    {'width': 4, 'height': 3}, 'site', '2026-01-02T03:04:05+00:00', {'accepted': True},
    ['CC BY'], '1a2b3c4d' + '0' * 56)


def test_a_card_survives_its_dictionary() -> None:
    values = CARD.to_dict()
    assert values['format'] == FORMAT == 'mde_ros profile 1'
    assert values['scale'] == {'factor': .7, 'log_std': .05, 'source': 'tape', 'count': 1,
                               'exponent': 1.}
    assert ProfileCard.from_dict(values) == CARD
    assert CARD.profile_id == 'kitchen-1a2b3c4d'


def test_a_card_without_scale_and_report_has_none() -> None:
    card = ProfileCard.from_dict({'format': FORMAT, 'name': 'n', 'camera': '', 'base_name': 'b',
                                  'base_sha256': 'c', 'of a later version': 1})
    assert card == ProfileCard('n', '', 'b', 'c')
    assert card.scale == SiteScale(1., None, 'none', 0)
    assert (card.report, card.notices, card.intrinsics) == ({}, [], None)


@pytest.mark.parametrize(('change', 'words'), [
    ({'format': 'mde_ros weights 1'}, "'mde_ros profile 1' was expected"),
    ({'scale': {'factor': 0.}}, 'scale factor = 0.0'),
    ({'scale': {'factor': 1000.}}, 'metres'),
    ({'scale': {'factor': math.nan}}, 'scale factor = nan'),
    ({'scale': {'factor': True}}, 'scale factor = True'),
    ({'scale': {'factor': '2'}}, 'scale factor = 2'),
    ({'scale': {'log_std': -.1}}, 'log_std'),
    ({'scale': {'source': 'guess'}}, "source 'guess'"),
    ({'scale': {'count': -1}}, 'count = -1'),
    ({'scale': {'count': 1.5}}, 'count = 1.5'),
    ({'scale': {'shift': 1.}}, 'shift'),
    ({'scale': {'exponent': 9.}}, 'exponent = 9.0'),
    ({'scale': {'exponent': None}}, 'exponent = None'),
    ({'scale': [1.]}, 'card field'),
    ({'name': 'a/b'}, 'without /'),
    ({'name': 'a\nb'}, 'printable'),
    ({'name': ' '}, 'printable'),
    ({'name': 3}, "'name' must be a str"),
    ({'camera': None}, "'camera' must be a str"),
    ({'base_sha256': 5}, "'base_sha256' must be a str"),
    ({'intrinsics': [1]}, "'intrinsics'"),
    ({'report': None}, "'report' must be a dict"),
    ({'notices': 'CC'}, "'notices' must be a list"),
])
def test_a_wrong_field_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ProfileError, match=words.replace('(', r'\(')):
        ProfileCard.from_dict({**CARD.to_dict(), **change})


def test_a_missing_field_is_named() -> None:
    values = CARD.to_dict()
    del values['base_sha256']
    with pytest.raises(ProfileError, match='base_sha256'):
        ProfileCard.from_dict(values)


def test_a_scale_is_applied_to_depth() -> None:
    depth = np.array([1., 4.], np.float32)
    assert SiteScale().apply(depth).tolist() == [1., 4.]
    assert SiteScale(.5).apply(depth, 3.).tolist() == [1.5, 6.]
    # (4 x 4) ** 0.5 x 3 = 12, exponent after the first factor.
    halved = SiteScale(3., exponent=.5).apply(depth, 4.)
    assert halved.dtype == np.float32 and halved.tolist() == [6., 12.]
    assert np.isnan(SiteScale(2.).apply(np.array([np.nan], np.float32))).all()


@given(st.floats(*FACTORS), st.none() | st.floats(0, 10), st.sampled_from(SOURCES),
       st.integers(0, 10 ** 6))
def test_any_sensible_scale_survives(factor: float, log_std: float | None, source: str,
                                     count: int) -> None:
    scale = SiteScale(factor, log_std, source, count)
    card = ProfileCard('n', '', 'b', 'c', scale)
    assert ProfileCard.from_dict(card.to_dict()).scale == scale
