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

"""Scores what a running node published; the half that needs no ROS."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.distortion import Rectifier
from mde_ros.datasets.frame import Frame, FrameSource
from mde_ros.evaluation import surroundings
from mde_ros.evaluation.crops import cropped
from mde_ros.evaluation.evaluator import (
    add_count, count_camera, EvaluationError, explain, NO_REFERENCE, Observer)
from mde_ros.evaluation.reference import reference_depth
from mde_ros.evaluation.result import EvaluationResult, percentiles
from mde_ros.evaluation.scoring import Scorer, ScoringOptions

_IN_MEMORY = 64 << 20
LOST_BEFORE = 'lost before the node'
NO_DEPTH = 'no depth received'


class DepthSpool:
    """
    Depth images as they arrive, by stamp, in a temporary file.

    They are scored after the bag has been played, so that scoring takes no processor time from
    the node.
    """

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._places: dict[int, tuple[int, tuple[int, int]]] = {}
        #: Seconds from the stamp to the arrival, by stamp.
        self.ages: dict[int, float] = {}
        #: Depth images with a stamp that had come before.
        self.repeated = 0

    def close(self) -> None:
        """Give the space back."""
        self._file.close()

    def __len__(self) -> int:
        """Return the number of stamps."""
        return len(self._places)

    def __contains__(self, stamp_ns: object) -> bool:
        """Return whether a depth image with this stamp arrived."""
        return stamp_ns in self._places

    def add(self, stamp_ns: int, arrival_ns: int, depth: NDArray[np.float32]) -> None:
        """Keep H x W metres that arrived at ``arrival_ns`` of the clock of the stamps."""
        if stamp_ns in self._places:
            self.repeated += 1
            return
        place = self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(depth, np.float32).tobytes())
        self._places[stamp_ns] = place, depth.shape[:2]
        self.ages[stamp_ns] = (arrival_ns - stamp_ns) / 1e9

    def get(self, stamp_ns: int) -> NDArray[np.float32]:
        """Return the depth of a stamp; KeyError when none arrived."""
        place, (height, width) = self._places[stamp_ns]
        self._file.seek(place)
        data = self._file.read(4 * height * width)
        return np.frombuffer(data, np.float32).reshape(height, width)


@dataclass(frozen=True)
class NodeCounts:
    """
    What the node's diagnostics count for one camera, since it was started.

    :param lost: frames that the sequence numbers miss: lost by the transport.
    :param dropped: frames that arrived and were not processed, by reason.
    :param values: all values of the status, as text.
    """

    received: int = 0
    processed: int = 0
    pending: int = 0
    lost: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_values(cls, values: Mapping[str, str]) -> 'NodeCounts':
        """Read the key-value pairs of one status; what is missing counts as 0."""
        dropped = {'busy': _int(values, 'dropped_busy')}
        dropped.update({key.partition(', ')[2]: _int(values, key) for key in values
                        if key.startswith('dropped, ')})
        return cls(
            _int(values, 'received'), _int(values, 'processed'), _int(values, 'pending'),
            _int(values, LOST_BEFORE), {k: n for k, n in dropped.items() if n}, dict(values))

    def since(self, before: 'NodeCounts') -> 'NodeCounts':
        """Return the counts of what happened after ``before``."""
        dropped = {reason: count - before.dropped.get(reason, 0)
                   for reason, count in self.dropped.items()}
        return NodeCounts(
            self.received - before.received, self.processed - before.processed, self.pending,
            self.lost - before.lost, {k: n for k, n in dropped.items() if n}, self.values)


def score_live(source: FrameSource, frames: Iterable[Frame], stamps: Sequence[int],
               spool: DepthSpool, counts: NodeCounts, options: ScoringOptions, *,
               border: int = 0, observers: Sequence[Observer] = ()) -> EvaluationResult:
    """
    Score the depth that arrived against the reference of the frame with its stamp.

    :param source: what was played, for its name and the frames it skipped.
    :param frames: the frames as they were sent, in order.
    :param stamps: the stamps that they were sent with.
    :param counts: of the node, over the time of playing.
    :raises EvaluationError: when no frame can be scored, with the reasons counted.
    """
    result = EvaluationResult(
        data={'name': source.name}, model={'id': counts.values.get('model', 'unknown')},
        settings={'min_depth': options.minimum, 'max_depth': options.maximum,
                  'range_edges': list(options.edges), 'border': border, 'live': True})
    content, cameras = surroundings.ContentHash(), dict[str, int]()
    with Scorer(options) as scorer:
        for frame, stamp in zip(frames, stamps, strict=False):
            result.read += 1
            content.add(frame)
            count_camera(cameras, frame.intrinsics)
            if stamp not in spool:
                continue
            result.timings[frame.name] = {'age': 1e3 * spool.ages[stamp]}
            reason = _score(frame, spool.get(stamp), border, scorer, observers)
            if reason is not None:
                add_count(result.skipped, reason)
        sent, arrived = result.read, len(result.timings)
        for reason, count in unaccounted(sent - arrived, counts).items():
            add_count(result.skipped, reason, count)
        for reason, count in source.skipped.items():
            add_count(result.skipped, reason, count)
            result.read += count
        result.data.update(hash=content.hexdigest, cameras=cameras)
        if not len(scorer):
            raise EvaluationError(explain(source.name, result.read, result.skipped))
        result.scores = scorer.finish()
    result.live = {
        'sent': sent, 'depth_received': arrived, 'node_received': counts.received,
        'node_processed': counts.processed, 'node_dropped': counts.dropped,
        'lost_before_node': sent - counts.received,
        'lost_after_node': counts.processed - arrived,
        'age_ms': percentiles([1e3 * spool.ages[s] for s in stamps if s in spool]),
        'node': {key: value for key, value in counts.values.items()
                 if '(ms)' in key or '(Hz)' in key or key.startswith('QoS')}}
    result.surroundings = {
        'device': counts.values.get('device', 'cpu'), 'machine': surroundings.machine(),
        'versions': surroundings.versions()}
    return result


def unaccounted(missing: int, counts: NodeCounts) -> dict[str, int]:
    """
    Return why so many sent frames have no depth, as far as the node says.

    What its counters do not explain is 'no depth received'; the sum is always ``missing``.
    """
    found: dict[str, int] = {}
    reasons = {f'dropped by the node: {reason}': count
               for reason, count in counts.dropped.items()}
    for reason, count in {**reasons, LOST_BEFORE: counts.lost}.items():
        taken = min(max(count, 0), missing)
        missing -= taken
        if taken:
            found[reason] = taken
    if missing:
        found[NO_DEPTH] = missing
    return found


def _score(frame: Frame, depth: NDArray[np.float32], border: int, scorer: Scorer,
           observers: Sequence[Observer]) -> str | None:
    """Score one frame; return why it cannot be, or None."""
    if frame.depth is None:
        return NO_REFERENCE
    # The node publishes depth of the rectified image.
    truth = reference_depth(frame, frame.intrinsics.without_distortion(), border)
    reason = scorer.add(frame.name, frame.stamp_ns, depth, truth)
    if reason is None and observers:
        image = (frame.image if frame.intrinsics.rectified
                 else Rectifier(frame.intrinsics).apply(frame.image))
        truth = cropped(truth, scorer.options.crop)
        for observer in observers:
            observer(frame.name, image, depth, truth)
    return reason


def _int(values: Mapping[str, Any], key: str) -> int:
    try:
        return int(values.get(key, 0))
    except ValueError:
        return 0
