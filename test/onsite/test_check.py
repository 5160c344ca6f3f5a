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

"""The verdict, by numbers made up for it."""

from typing import Any

from adapt_harness import tiny_network
import numpy as np
import pytest
from test_check_measures import pictures

from mde_ros.onsite.check import judge, limits, measure, Verdict
from mde_ros.onsite.check_motion import MotionPoints
from mde_ros.onsite.check_pictures import CheckPicture

BEFORE = {'source': .3, 'styled': .3, 'flip': .1, 'light': .1, 'zoom': .2, 'motion': .1,
          'spread': .3, 'variety': .3, 'fit': .1}


def verdict(source_rise: float = .03, **after: float) -> Verdict:
    """Return the verdict on BEFORE with some measures changed by a factor."""
    old = {name: np.array([value, value]) for name, value in BEFORE.items()}
    new = {name: np.array([value * after.get(name, 1.)] * 2) for name, value in BEFORE.items()}
    return judge(old, new, source_rise)


def test_better_consistency_is_accepted() -> None:
    found = verdict(flip=.8, light=.8)
    assert found.accepted and found.why.startswith('accepted: more consistent than before')
    # Weights 1 of flip and .5 of light, of 8.5 in all; ratios have a small constant.
    assert found.score == pytest.approx(1.5 * np.log((.08 + .002) / (.1 + .002)) / 8.5)
    assert all(row.kept for row in found.rows) and len(found.rows) == 9


def test_consistency_alone_is_not_enough() -> None:
    old = {name: np.array([.1, .1]) for name in ('flip', 'light', 'zoom')}
    new = {name: values * .5 for name, values in old.items()}
    found = judge(old, new)
    assert not found.accepted and 'nothing in the recording tells' in found.why
    assert found.score < -.5 and all(row.kept for row in found.rows)
    assert judge(old, new, trust_consistency=True).accepted
    for name in ('floor', 'motion'):
        assert judge({**old, name: np.array([.1])}, {**new, name: np.array([.1])}).accepted
        worse = judge({**old, name: np.array([.1])}, {**new, name: np.array([.11])})
        assert not worse.accepted and 'allowed is to 105%' in worse.why


def test_few_pairs_of_pictures_say_little() -> None:
    old = {'flip': np.array([.1]), 'motion': np.array([.08, .12])}

    def of(*after: float) -> Verdict:
        return judge(old, {'flip': np.array([.02]), 'motion': np.array(after)})
    # Differences -.01 and .03: 10 % more with a standard error of 20 %.
    vague = of(.07, .15)
    assert not vague.accepted and 'nothing in the recording tells' in vague.why
    row = vague.rows[-1]
    assert row.name == 'motion' and row.kept and row.most == pytest.approx(1.05 + .02 / .102)
    # The same 10 % by both is harm, and no change by both is evidence.
    assert not of(.09, .13).rows[-1].kept
    assert of(.08, .12).accepted


def test_no_change_is_not_enough() -> None:
    found = verdict()
    assert not found.accepted and found.score == 0
    assert found.why == ('refused: no better than before on the whole (+0.0%, -1% is needed)')
    assert not verdict(flip=.95).accepted and not verdict(light=.9).accepted


@pytest.mark.parametrize(('name', 'factor', 'words'), [
    ('source', 1.05, '0.3000 before, 0.3150 after (105%), allowed is to 103%'),
    ('styled', 1.1, "source in the target's colours"),
    ('flip', 1.4, 'picture and mirrored picture'),
    ('light', 1.6, 'picture and darker, noisier picture'),
    ('zoom', 1.4, 'picture and enlarged picture'),
    ('motion', 1.1, "against the camera's own motion"),
    ('spread', .5, '0.3000 before, 0.1500 after (50%), allowed is 65% to 160%'),
    ('spread', 1.8, 'spread of log depth'),
    ('variety', .5, 'difference of depth between pictures'),
    ('fit', 6., "distance of batch statistics from the target's pictures"),
])
def test_each_limit_alone_refuses(name: str, factor: float, words: str) -> None:
    gains = {other: .5 for other in ('flip', 'light', 'zoom', 'motion') if other != name}
    assert verdict(**gains).accepted
    found = verdict(**gains, **{name: factor})
    assert not found.accepted and words in found.why
    assert [row.name for row in found.rows if not row.kept] == [name]


def test_in_weather_its_control_group_allows_what_is_no_harm() -> None:
    old = {'weather': .4, 'flip': .1, 'weather_flip': .1, 'light': .1, 'weather_light': .1}
    new = {'weather': .2, 'flip': .15, 'weather_flip': .15, 'light': .14, 'weather_light': .08}

    def of(after: dict[str, float]) -> Verdict:
        return judge(*({name: np.array([value]) for name, value in one.items()}
                       for one in (old, after)))
    found = of(new)
    # Labels say that depth in weather is better: something of the truth.
    assert found.accepted
    rows = {row.name: row for row in found.rows}
    assert set(rows) == {'weather', 'flip', 'light'}
    # Half as much again there too: 125 % of 149 % (with the small constant).
    assert rows['flip'].most == pytest.approx(1.25 * .152 / .102) and rows['flip'].kept
    # A control that fell allows no less than there is without one.
    assert rows['light'].most == 1.5
    # Weights 3, 1 and .5; flip is what it is in the control group.
    assert found.score == pytest.approx(
        (3 * np.log(.202 / .402) + .5 * np.log(.142 / .102)) / 4.5)
    assert not of({**new, 'flip': .2}).accepted and 'mirrored' in of({**new, 'flip': .2}).why
    hardly = of({**new, 'weather': .38, 'flip': .1, 'light': .05})
    assert not hardly.accepted and 'nothing in the recording tells' in hardly.why
    worse = of({**new, 'weather': .41})
    assert not worse.accepted and 'in rendered weather' in worse.why


def test_what_is_learnt_of_the_source_alone_does_not_count() -> None:
    assert verdict(styled=.8).accepted
    found = verdict(styled=.8, source=.8)
    assert found.score == pytest.approx(0) and not found.accepted
    assert verdict(styled=.7, source=.8).accepted
    # Nor does it help to forget.
    assert verdict(.5, styled=.99, source=1.3).score == pytest.approx(
        3 * np.log((.297 + .002) / (.3 + .002)) / 8.5)


def test_how_much_may_be_forgotten_can_be_set() -> None:
    assert not verdict(source=1.05, flip=.5).accepted
    assert verdict(.1, source=1.05, flip=.5).accepted
    assert limits(.1)['source'].most == pytest.approx(1.1)


def test_what_is_not_finite_is_refused() -> None:
    for value in (float('nan'), float('inf')):
        found = verdict(flip=.5, zoom=value)
        assert not found.accepted and 'enlarged' in found.why


def test_what_was_not_measured_says_nothing() -> None:
    old = {'flip': np.array([.1]), 'source': np.array([])}
    found = judge(old, {'flip': np.array([.05])}, trust_consistency=True)
    assert found.accepted and [row.name for row in found.rows] == ['flip']


def test_its_json() -> None:
    fields: dict[str, Any] = verdict(flip=.8, light=.8).to_dict()
    assert fields['accepted'] and fields['before']['flip'] == .1
    assert fields['after']['flip'] == pytest.approx(.08)
    assert fields['rows'][0]['line'].endswith('(100%)')


def test_what_is_measured_where() -> None:
    network, shown = tiny_network(), pictures(4)
    assert set(measure(network, shown)) == {
        'flip', 'light', 'zoom', 'spread', 'level', 'variety', 'fit'}
    sources = [CheckPicture(one.image, one.focal, np.zeros((24, 32), np.float32))
               for one in shown]
    pair = MotionPoints(shown[0], np.arange(9), np.arange(9), np.arange(9.))
    # Four pairs are too few to say anything.
    assert 'motion' not in measure(network, shown, sources, [pair] * 4)
    found = measure(network, shown, sources, [pair] * 5)
    assert {'source', 'styled', 'motion'} <= set(found) and len(found['motion']) == 5
    assert {'weather', 'weather_flip', 'weather_light', 'weather_zoom'} <= set(
        measure(network, shown, weather=sources))
    same = judge(found, found)
    assert not same.accepted and same.score == 0
