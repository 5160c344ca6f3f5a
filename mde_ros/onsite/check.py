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

"""Whether an adapted network is better than the one before, decided without labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation.result import plain
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.check_measures import source_measures, target_measures
from mde_ros.onsite.check_motion import FEWEST_PAIRS, motion_measure, MotionPoints
from mde_ros.onsite.check_pictures import CheckPicture
from mde_ros.onsite.check_weather import weather_measures

Measures = Mapping[str, NDArray[np.float64]]
# The base weights stay beside every profile, so a profile may forget some of the source.
SOURCE_RISE = .25
# Consistency may wander by this share without saying anything.
SLACK = .25
MOTION_RISE = .05
# The weighted mean of log ratios has to fall by this much.
MARGIN = .01
# Numbers near 0 have no ratio: what is perfect may become nearly perfect.
SMALL = .002

# The measures that know something of the target's truth, and what they may come to for that.
# Consistency alone let through networks that were 10 % worse, so without any of them nothing is
# accepted by default. In fog most of the error is due to it, and of rendered fog there are labels.
TRUTHFUL = {'floor': 1 + MOTION_RISE, 'motion': 1 + MOTION_RISE, 'weather': .9}
# Few pairs of pictures say little: a standard error beyond the limit is no harm yet, and within it
# no evidence.
NOISY = ('motion',)

WORDS = {
    'source': 'error on held-out source',
    'styled': "error on held-out source in the target's colours",
    'weather': 'error on held-out source in rendered weather',
    'flip': 'difference between picture and mirrored picture',
    'light': 'difference between picture and darker, noisier picture',
    'zoom': 'difference between picture and enlarged picture',
    'floor': "distance of a frame's scale from that of the floor",
    'motion': "error of relative depth against the camera's own motion",
    'spread': 'spread of log depth within a picture',
    'variety': 'difference of depth between pictures',
    'fit': "distance of batch statistics from the target's pictures"}


@dataclass(frozen=True)
class Limit:
    """
    What a measure after adaptation, divided by that before, must keep to.

    :param weight: in the score; 0 where the measure is only a gate.
    """

    least: float
    most: float
    weight: float = 0.


def limits(source_rise: float = SOURCE_RISE) -> dict[str, Limit]:
    """
    Return the limits by measure.

    Weights and limits are those that told good from bad best in docs/adaptation.md; statistics
    that source and target share fit neither exactly, so only gross misfits are refused.
    """
    return {
        'source': Limit(0, 1 + source_rise), 'styled': Limit(0, 1 + source_rise, 3.),
        'weather': Limit(0, 1., 3.),
        'flip': Limit(0, 1 + SLACK, 1.), 'light': Limit(0, 1 + 2 * SLACK, .5),
        'zoom': Limit(0, 1 + SLACK, 1.), 'motion': Limit(0, 1 + MOTION_RISE, 3.),
        'floor': Limit(0, 1 + MOTION_RISE, 3.),
        'spread': Limit(.65, 1.6), 'variety': Limit(.6, 1.6),
        'fit': Limit(0, 5.)}


@dataclass(frozen=True)
class Row:
    """One measure before and after, and whether it keeps to its limit."""

    name: str
    before: float
    after: float
    least: float
    most: float
    kept: bool

    @property
    def words(self) -> str:
        """Return what is measured."""
        return WORDS[self.name]

    @property
    def allowed(self) -> str:
        """Return the limits as shares of what it was before."""
        return f'{self.least:.0%} to {self.most:.0%}' if self.least else f'to {self.most:.0%}'

    @property
    def line(self) -> str:
        """Return the row in words."""
        share = f'{self.after / self.before:.0%}' if self.before else 'from nothing'
        text = f'{self.words}: {self.before:.4f} before, {self.after:.4f} after ({share})'
        return text if self.kept else f'{text}, allowed is {self.allowed}'


@dataclass(frozen=True)
class Verdict:
    """
    What the check found.

    :param accepted: whether the adapted network may replace the one before.
    :param why: in words, one line.
    :param score: weighted mean of the log ratios; below 0 is better.
    """

    accepted: bool
    why: str
    score: float
    rows: tuple[Row, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return dict(plain({
            'accepted': self.accepted, 'why': self.why, 'score': self.score,
            'before': {row.name: row.before for row in self.rows},
            'after': {row.name: row.after for row in self.rows},
            'rows': [{**vars(row), 'line': row.line} for row in self.rows]}))


def measure(network: DepthNetwork, targets: Sequence[CheckPicture],
            sources: Sequence[CheckPicture] = (), motion: Sequence[MotionPoints] = (),
            weather: Sequence[CheckPicture] = ()) -> dict[str, NDArray[np.float64]]:
    """
    Return all measures of a network in evaluation mode, a number a picture (or layer).

    :param targets: pictures of the target, unlabelled.
    :param sources: labelled pictures; without them nothing is said of the source.
    :param motion: pairs of pictures of the target; fewer than five say nothing.
    :param weather: labelled source pictures of :func:`in_weather`, for places that have some.
    """
    found = target_measures(network, targets)
    if sources:
        found |= source_measures(network, sources, targets)
    if len(motion) >= FEWEST_PAIRS:
        found['motion'] = motion_measure(network, motion)
    if weather:
        found |= weather_measures(network, weather)
    return found


def _change(before: Measures, after: Measures, name: str) -> tuple[float, float, float]:
    """Return the means of a measure before and after, and their ratio."""
    old, new = float(before[name].mean()), float(after[name].mean())
    small = .02 if name == 'fit' else SMALL
    return old, new, (new + small) / (old + small)


def _noise(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the standard error of a ratio of means, of the same pictures before and after."""
    if len(before) != len(after) or len(before) < 2:
        return 0.
    error = float((after - before).std(ddof=1)) / math.sqrt(len(before))
    return error / (float(before.mean()) + SMALL)


def judge(before: Measures, after: Measures, source_rise: float = SOURCE_RISE,
          trust_consistency: bool = False) -> Verdict:
    """
    Return the verdict on two networks measured on the same pictures.

    Every limit must be kept, the measures must be better on the whole, and one of them must know
    something of the truth.

    :param trust_consistency: accept without such a measure.
    """
    rows, score, weights, learnt, truthful = [], 0., 0., 1., False
    for name, limit in limits(source_rise).items():
        if name not in before or not before[name].size:
            continue
        old, new, ratio = _change(before, after, name)
        # What rises in rendered weather too, where depth is known, is allowed to.
        control = f'weather_{name}'
        allowance = max(1., _change(before, after, control)[2]) if control in before else 1.
        noise = _noise(before[name], after[name]) if name in NOISY else 0.
        most = limit.most * allowance + noise
        kept = bool(math.isfinite(ratio) and limit.least <= ratio <= most)
        rows.append(Row(name, old, new, limit.least, most, kept))
        ratio /= allowance
        truthful |= ratio + noise <= TRUTHFUL.get(name, -math.inf)
        if name == 'source':
            learnt = min(1., ratio)
        if limit.weight and ratio > 0:
            # Who has learnt more of the source is better on its restyled pictures too, which
            # says nothing of the target.
            score += limit.weight * math.log(ratio / learnt if name == 'styled' else ratio)
            weights += limit.weight
    score = score / weights if weights else math.nan
    broken = [row.line for row in rows if not row.kept]
    if broken:
        return Verdict(False, 'refused: ' + '; '.join(broken), score, tuple(rows))
    if not score < -MARGIN:
        return Verdict(False, f'refused: no better than before on the whole ({score:+.1%}, '
                              f'{-MARGIN:+.0%} is needed)', score, tuple(rows))
    if not trust_consistency and not truthful:
        return Verdict(False, f'refused: more consistent than before ({score:+.1%}), but nothing '
                       'in the recording tells whether depth is better: neither a floor that is '
                       'seen from one height nor frames between which the camera moved sideways',
                       score, tuple(rows))
    return Verdict(True, f'accepted: more consistent than before ({score:+.1%}), and every '
                         'limit is kept', score, tuple(rows))
