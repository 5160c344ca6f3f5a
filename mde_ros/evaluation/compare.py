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

"""Two estimators on the same frames: errors before and after, with paired intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mde_ros.datasets.frame import FrameSource
from mde_ros.evaluation.bootstrap import bootstrap_interval
from mde_ros.evaluation.estimator_like import EstimatorLike
from mde_ros.evaluation.evaluator import evaluate, EvaluationError
from mde_ros.evaluation.material import drawn_range, ReportMaterial
from mde_ros.evaluation.metrics import mean_metrics, METRIC_NAMES, Metrics
from mde_ros.evaluation.result import EvaluationResult, plain
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.evaluation.scoring import FrameScore, ScoringOptions

# Metrics that grow when depth gets better.
RISING = ('delta1', 'delta2', 'delta3')


@dataclass(frozen=True)
class Change:
    """
    One metric of one column, before and after.

    :param low: of the 95 % interval of ``after - before``, frames paired; NaN for one frame.
    :param high: likewise.
    """

    metric: str
    before: float
    after: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return better, worse or unclear: whether the interval leaves out 0."""
        rising = self.metric in RISING
        if self.high < 0:
            return 'worse' if rising else 'better'
        if self.low > 0:
            return 'better' if rising else 'worse'
        return 'unclear'


@dataclass
class Comparison:
    """
    Two results on the frames that both scored.

    :param pairs: (before, after) of each frame, in reading order.
    :param material: small pictures of both; close it.
    """

    before: EvaluationResult
    after: EvaluationResult
    pairs: list[tuple[FrameScore, FrameScore]]
    material: tuple[ReportMaterial, ReportMaterial]

    def close(self) -> None:
        """Remove the temporary files."""
        for one in self.material:
            one.close()

    def changes(self, column: str) -> list[Change]:
        """Return every metric of a column."""
        old, new = ([pair[side].columns[column] for pair in self.pairs] for side in (0, 1))
        means = mean_metrics(old), mean_metrics(new)
        return [_change(name, old, new, means) for name in METRIC_NAMES]

    def gains(self, column: str = 'median_scaled') -> list[tuple[float, str]]:
        """Return (fall of Abs Rel, name) of each frame, the largest gain first."""
        return sorted(((old.columns[column].abs_rel - new.columns[column].abs_rel, old.name)
                       for old, new in self.pairs), key=lambda one: (-one[0], one[1]))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that ``--json`` writes."""
        return dict(plain({
            'data': self.before.data,
            'before': {'model': self.before.model, 'scale': self._scale(self.before)},
            'after': {'model': self.after.model, 'scale': self._scale(self.after)},
            'settings': self.before.settings, 'frames': len(self.pairs),
            'skipped': {'before': self.before.skipped, 'after': self.after.skipped},
            **{column: {change.metric: {
                'before': change.before, 'after': change.after,
                'difference': change.after - change.before,
                'interval_95': [change.low, change.high], 'verdict': change.verdict}
                for change in self.changes(column)} for column in COLUMNS},
            'per_frame': [{'name': old.name, **{column: [
                old.columns[column].abs_rel, new.columns[column].abs_rel] for column in COLUMNS}}
                for old, new in self.pairs]}))

    @staticmethod
    def _scale(result: EvaluationResult) -> dict[str, Any]:
        return vars(result.scores.scale) if result.scores else {}


def _change(name: str, old: list[Metrics], new: list[Metrics],
            means: tuple[Metrics, Metrics]) -> Change:
    differences = [getattr(b, name) - getattr(a, name) for a, b in zip(old, new, strict=True)]
    return Change(name, getattr(means[0], name), getattr(means[1], name),
                  *bootstrap_interval(differences))


def compare(open_source: Callable[[], FrameSource], before: EstimatorLike, after: EstimatorLike,
            options: ScoringOptions | None = None, *, every: int = 1, limit: int | None = None,
            progress: Callable[[], None] | None = None) -> Comparison:
    """
    Score two estimators on the same frames, one after the other.

    :param open_source: opens the data anew: a bag is read once for each.
    :param options: what is scored.
    :param every: take each so manieth frame.
    :param limit: take at most so many frames.
    :param progress: called after every frame of either.
    :raises mde_ros.evaluation.evaluator.EvaluationError: when no frame can be scored by both.
    """
    options = options or ScoringOptions()
    low, high = drawn_range(options.minimum, options.maximum)
    material = ReportMaterial(low, high), ReportMaterial(low, high)
    results = []
    for estimator, collected in zip((before, after), material, strict=True):
        results.append(evaluate(open_source(), estimator, options, every=every, limit=limit,
                                observers=[collected], progress=progress))
    old, new = results
    assert old.scores is not None and new.scores is not None
    scored = {frame.name: frame for frame in new.scores.frames}
    pairs = [(frame, scored[frame.name]) for frame in old.scores.frames if frame.name in scored]
    if not pairs:
        raise EvaluationError(f'{old.data["name"]}: no frame that both networks can estimate')
    return Comparison(old, new, pairs, material)
