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

"""The result of an evaluation and its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import math
from typing import Any

import numpy as np

from mde_ros.evaluation.bootstrap import bootstrap_interval
from mde_ros.evaluation.floors import FLOORS
from mde_ros.evaluation.scaling import COLUMNS
from mde_ros.evaluation.scoring import Scores

# Stages of a frame, milliseconds. 'decode' is reading and decoding image and reference, which a
# robot does not do; 'total' is from the decoded image to depth at its size; 'age' (live only) is
# from the stamp of the image to the arrival of its depth in another process.
STAGES = ('decode', 'rectify', 'resize', 'network', 'upsample', 'total', 'age')


@dataclass
class EvaluationResult:
    """
    What an evaluation found.

    :param data: what was read: name, path, split, hash, size and kind.
    :param model: model id, weights, network input.
    :param settings: scored range, border, edges and selection of frames.
    :param read: frames tried; each is either scored or counted in ``skipped``.
    :param skipped: frames not scored, by reason.
    :param timings: milliseconds by stage of each frame, by its name, in reading order.
    :param scores: None when only latency was measured.
    :param surroundings: versions, machine, device, peak memory.
    :param live: counts and ages of a live evaluation; None offline.
    :param protocol: the table entry of the protocol, None without one.
    """

    data: dict[str, Any]
    model: dict[str, Any]
    settings: dict[str, Any]
    read: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    timings: dict[str, dict[str, float]] = field(default_factory=dict)
    scores: Scores | None = None
    surroundings: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] | None = None
    protocol: dict[str, Any] | None = None

    @property
    def scored(self) -> int:
        """Return the number of scored frames."""
        return len(self.scores.frames) if self.scores else 0

    def latency_ms(self) -> dict[str, dict[str, float]]:
        """Return p50, p95 and p99 of each stage that was timed, milliseconds."""
        by_stage = {stage: [frame[stage] for frame in self.timings.values() if stage in frame]
                    for stage in STAGES}
        return {stage: percentiles(values) for stage, values in by_stage.items() if values}

    def coverage(self) -> dict[str, float]:
        """Return mean shares: image with reference depth, and that with a prediction."""
        frames = self.scores.frames if self.scores else []
        return {
            'reference': mean([frame.reference for frame in frames]),
            'predicted': mean([frame.predicted for frame in frames])}

    def intervals(self) -> dict[str, list[float]]:
        """Return the 95 % bootstrap interval over frames of abs_rel by column."""
        frames = self.scores.frames if self.scores else []
        return {column: list(bootstrap_interval([f.columns[column].abs_rel for f in frames]))
                for column in COLUMNS}

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that ``--json`` writes; NaN and infinity become null."""
        fields: dict[str, Any] = {
            'data': self.data, 'model': self.model, 'settings': self.settings,
            'frames': {'read': self.read, 'scored': self.scored, 'skipped': self.skipped}}
        if self.protocol is not None:
            fields['protocol'] = self.protocol
        if self.live is not None:
            fields['live'] = self.live
        if self.scores:
            scores = self.scores
            fields.update({name: scores.columns[name].to_dict() for name in COLUMNS})
            # Every floor has every column, null where there is none: see floors.py.
            fields['floors'] = {
                floor: {name: scores.floors[floor][name].to_dict()
                        if name in scores.floors[floor] else None for name in COLUMNS}
                for floor in FLOORS}
            fields['abs_rel_interval_95'] = self.intervals()
            fields['scale'] = vars(scores.scale)
            fields['ranges'] = [
                {'from': r.lower, 'to': r.upper, 'pixels': r.pixels,
                 **{name: r.columns[name].to_dict() for name in COLUMNS}}
                for r in scores.ranges]
            fields['coverage'] = self.coverage()
        fields['latency_ms'] = self.latency_ms()
        fields.update(self.surroundings)
        return dict(plain(fields))


def percentiles(values: list[float]) -> dict[str, float]:
    """Return p50, p95 and p99 of at least one value."""
    return {f'p{rank}': float(np.percentile(values, rank)) for rank in (50, 95, 99)}


def mean(values: list[float]) -> float:
    """Return the mean, NaN of nothing."""
    return float(np.mean(values)) if values else math.nan


def plain(value: Any) -> Any:
    """Return a copy that JSON can hold: plain types, six significant digits, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        return float(f'{float(value):.6g}') if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
