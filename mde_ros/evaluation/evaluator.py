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

"""Scores the node's estimator on the frames of a data set, one after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame, FrameSource
from mde_ros.errors import MdeError
from mde_ros.evaluation import surroundings
from mde_ros.evaluation.crops import cropped
from mde_ros.evaluation.estimator_like import EstimatorLike
from mde_ros.evaluation.flip_averaging import FlipAveraged
from mde_ros.evaluation.protocols import DepthProtocol
from mde_ros.evaluation.reference import reference_depth
from mde_ros.evaluation.result import EvaluationResult
from mde_ros.evaluation.scoring import Scorer, ScoringOptions

NO_REFERENCE = 'no reference depth'
# Simulated frames may each have a camera of their own.
MOST_CAMERAS = 8


class EvaluationError(MdeError):
    """Nothing could be measured; the message says why."""


# Called with every scored frame: its picture (rectified), prediction and reference.
Observer = Callable[[str, NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]], None]


def select(source: FrameSource, every: int = 1, limit: int | None = None) -> Iterator[Frame]:
    """Yield every so many frames of a source, at most ``limit``."""
    count = 0
    for index, frame in enumerate(source):
        if index % every == 0:
            count += 1
            yield frame
        if count == limit:
            return


def evaluate(source: FrameSource, estimator: EstimatorLike,
             options: ScoringOptions | None = None, *, border: int = 0, every: int = 1,
             limit: int | None = None, latency_only: bool = False,
             protocol: DepthProtocol | None = None, flip: bool = False,
             observers: Sequence[Observer] = (),
             progress: Callable[[], None] | None = None) -> EvaluationResult:
    """
    Estimate every frame as the node would and score it against its reference depth.

    Memory stays at one frame; the scored pixels wait in a temporary file for the one factor of
    the set.

    :param border: pixels along each side of the images that are not scored.
    :param every: take each so manieth frame.
    :param limit: take at most so many frames.
    :param latency_only: measure time only; frames need no reference depth.
    :param protocol: what is given to the network and scored; sets the options where there are
        none, which otherwise must be its own.
    :param flip: average predictions with those of the mirrored image, also where the protocol
        does not.
    :param observers: called with every scored frame.
    :param progress: called after every frame.
    :raises EvaluationError: when no frame can be scored, with the reasons counted.
    :raises ProtocolError: when the data set's reference is not the protocol's.
    """
    if protocol:
        protocol.check_source(source)
        flip = flip or protocol.flip
        options = options or protocol.options()
    options = options or ScoringOptions()
    if flip:
        estimator = FlipAveraged(estimator)
    result = EvaluationResult(
        data={'name': source.name},
        model={'id': estimator.model_id, **settings_of(estimator)},
        settings={'min_depth': options.minimum, 'max_depth': options.maximum,
                  'range_edges': list(options.edges), 'border': border, 'every': every,
                  'limit': limit, 'latency_only': latency_only, 'crop': options.crop,
                  'flip': flip},
        protocol=protocol.to_dict() if protocol else None)
    content = surroundings.ContentHash()
    warm: Intrinsics | None = None
    cameras: dict[str, int] = {}
    with Scorer(options) as scorer:
        before = perf_counter()
        for frame in select(source, every, limit):
            decode = perf_counter() - before
            result.read += 1
            count_camera(cameras, frame.intrinsics)
            content.add(frame)
            reason = None if frame.depth is not None or latency_only else NO_REFERENCE
            if reason is None:
                try:
                    frame = protocol.prepare(frame) if protocol else frame
                    if warm is None or (warm.width, warm.height) != (
                            frame.intrinsics.width, frame.intrinsics.height):
                        warm = frame.intrinsics
                        estimator.warm_up(warm)
                    reason = _one(frame, estimator, decode, border, result,
                                  None if latency_only else scorer, observers)
                except MdeError as error:
                    reason = str(error)
            if reason is not None:
                add_count(result.skipped, reason)
            if progress:
                progress()
            before = perf_counter()
        for reason, count in source.skipped.items():
            add_count(result.skipped, reason, count)
            result.read += count
        result.data.update(hash=content.hexdigest, cameras=cameras)
        if not (result.timings if latency_only else len(scorer)):
            raise EvaluationError(explain(source.name, result.read, result.skipped))
        if not latency_only:
            result.scores = scorer.finish()
    result.surroundings = {
        'device': str(getattr(estimator, 'runs_on', 'cpu')),
        'peak_memory_mb': surroundings.peak_memory_mb(),
        'machine': surroundings.machine(), 'versions': surroundings.versions()}
    return result


def _one(frame: Frame, estimator: EstimatorLike, decode: float, border: int,
         result: EvaluationResult, scorer: Scorer | None,
         observers: Sequence[Observer]) -> str | None:
    """Estimate and score one frame; return why it cannot be scored, or None."""
    start = perf_counter()
    estimate = estimator.estimate(frame.image, frame.intrinsics)
    total = perf_counter() - start
    result.timings[frame.name] = {stage: 1e3 * seconds for stage, seconds in {
        'decode': decode, **estimate.timings, 'total': total}.items()}
    if scorer is None:
        return None
    truth = reference_depth(frame, estimate.intrinsics, border)
    reason = scorer.add(frame.name, frame.stamp_ns, estimate.depth, truth)
    if reason is None and observers:
        truth = cropped(truth, scorer.options.crop)
        for observer in observers:
            observer(frame.name, estimate.image, estimate.depth, truth)
    return reason


def add_count(counts: dict[str, int], key: str, count: int = 1) -> None:
    """Add to one of several counts."""
    counts[key] = counts.get(key, 0) + count


def count_camera(cameras: dict[str, int], intrinsics: Intrinsics) -> None:
    """Count a frame's camera; after eight different ones the rest are 'others'."""
    camera = describe(intrinsics)
    if camera not in cameras and len(cameras) >= MOST_CAMERAS:
        camera = 'others'
    add_count(cameras, camera)


def describe(k: Intrinsics) -> str:
    """Return a camera in one line."""
    lens = '' if k.rectified else f' {k.distortion_model}'
    return (f'{k.width}x{k.height} fx {k.fx:.1f} fy {k.fy:.1f} cx {k.cx:.1f} cy {k.cy:.1f}'
            + lens)


def explain(name: str, read: int, skipped: dict[str, int]) -> str:
    """Return one line on why nothing was scored."""
    if not read:
        return f'{name}: no frame to read; check the path, the split or the topics'
    if set(skipped) == {NO_REFERENCE}:
        return (f'{name}: none of its {read} frames has reference depth; record depth too, '
                'or give --latency-only to measure time alone')
    reasons = '; '.join(f'{count} {reason}' for reason, count in skipped.items())
    return f'{name}: none of its {read} frames could be scored: {reasons}'


def settings_of(estimator: Any) -> dict[str, Any]:
    """Return what is worth knowing of an estimator beside its id."""
    found: dict[str, Any] = {}
    if area := getattr(estimator, 'input_area', None):
        found['input_area'] = area
    if card := getattr(estimator, 'card', None):
        found['weights'] = {'name': card.name, 'sha256': card.sha256}
    if profile := getattr(estimator, 'profile', None):
        found['profile'] = {'name': profile.name, 'sha256': profile.sha256,
                            'scale': asdict(profile.scale)}
    return found


def source_facts(source: Any) -> dict[str, Any]:
    """Return what a bag says of itself after it was read; a folder has nothing to add."""
    found: dict[str, Any] = {}
    if topics := getattr(source, 'topics', None):
        found['topics'] = {name: f'{topic}, {topics.counts.get(topic, 0)} messages'
                           for name in ('image', 'depth', 'info')
                           if (topic := getattr(topics, name))}
    if (pairing := getattr(source, 'pairing', None)) is not None:
        found['pairing'] = vars(pairing)
    if backwards := getattr(source, 'stamps_backwards', 0):
        found['stamps_backwards'] = backwards
    if damage := getattr(source, 'damage', None):
        found['damage'] = list(damage)
    return found
