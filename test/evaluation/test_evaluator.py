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

"""The evaluator: counts, rectified references, latency, errors."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.bag_writer import BagWriter
from mde_ros.datasets.frame import Frame
from mde_ros.errors import MdeError
from mde_ros.evaluation.evaluator import (
    evaluate, EvaluationError, NO_REFERENCE, select, source_facts)
from mde_ros.evaluation.scoring import ScoringOptions


def test_a_perfect_estimator_has_no_error(memory_source: Any, perfect: Any) -> None:
    """All frames scored, nothing skipped, every stage timed in milliseconds."""
    result = evaluate(memory_source, perfect)
    assert (result.read, result.scored, result.skipped) == (4, 4, {})
    assert result.scores is not None
    assert result.scores.columns['raw'].abs_rel == 0
    latency = result.latency_ms()
    assert latency['network'] == pytest.approx({'p50': 20, 'p95': 20, 'p99': 20})
    assert set(latency) == {'decode', 'rectify', 'resize', 'network', 'upsample', 'total'}
    assert result.model['id'] == 'stub-00000000'


def test_warms_up_once_a_size(frames: list[Frame], source_of: Any, perfect: Any) -> None:
    """The first measured frame is not slower than the others for it."""
    moved = replace(frames[1], intrinsics=replace(frames[1].intrinsics, cx=14.))
    evaluate(source_of([frames[0], moved, frames[2]]), perfect)
    assert perfect.warmed == [frames[0].intrinsics]


def test_bad_frames_are_counted_not_fatal(frames: list[Frame], source_of: Any,
                                          estimator_of: Any) -> None:
    """Those the source skipped, those without labels, those the estimator refuses."""
    def choosy(image: Any) -> Any:
        if image[0, 0, 0] == 56:
            raise MdeError('too blue')
        return image[:, :, 0].astype(np.float32) / 10
    source = source_of([*frames, replace(frames[0], name='x', depth=None)],
                       skipped={'corrupt image': 2})
    result = evaluate(source, estimator_of(choosy))
    assert result.skipped == {'too blue': 1, NO_REFERENCE: 1, 'corrupt image': 2}
    assert (result.read, result.scored) == (7, 3)
    assert list(result.timings) == ['f0', 'f2', 'f3']


def test_unlabelled_data_says_what_to_do(frames: list[Frame], source_of: Any,
                                         perfect: Any) -> None:
    """And does not spend time on the network."""
    source = source_of([replace(frame, depth=None) for frame in frames])
    with pytest.raises(EvaluationError, match=r'none of its 4 frames has reference depth.*'
                                              r'--latency-only'):
        evaluate(source, perfect)
    assert perfect.seen == 0


def test_latency_only(frames: list[Frame], source_of: Any, perfect: Any) -> None:
    """Time without labels; no scores are made up."""
    result = evaluate(source_of([replace(f, depth=None) for f in frames]), perfect,
                      latency_only=True)
    assert (result.read, result.scored, result.scores) == (4, 0, None)
    assert 'raw' not in result.to_dict()
    assert result.to_dict()['latency_ms']['network']['p50'] == 20


@pytest.mark.parametrize('skipped, text', [
    ({}, 'no frame to read'), ({'corrupt image': 3}, '3 corrupt image')])
def test_nothing_to_score(source_of: Any, perfect: Any, skipped: dict[str, int],
                          text: str) -> None:
    """The reasons are in the message."""
    with pytest.raises(EvaluationError, match=text):
        evaluate(source_of([], skipped=skipped), perfect)


def test_every_and_limit(frames: list[Frame], source_of: Any) -> None:
    """Frames 0, 2, 4, 6 and then no more are read."""
    source = source_of([replace(frames[0], name=str(index)) for index in range(20)])
    assert [frame.name for frame in select(source, 2, 4)] == ['0', '2', '4', '6']


def test_border(frames: list[Frame], source_of: Any, perfect: Any) -> None:
    """A white border of two pixels is not scored."""
    image = frames[0].image.copy()
    image[:2], image[-2:], image[:, :2], image[:, -2:] = 255, 255, 255, 255
    source = source_of([replace(frames[0], image=image)])
    assert evaluate(source, perfect).scores.columns['raw'].abs_rel > .1  # type: ignore
    assert evaluate(source, perfect, border=2).scores.columns['raw'].abs_rel == 0  # type: ignore


def test_reference_moves_with_the_rectified_image(source_of: Any, estimator_of: Any) -> None:
    """Depth registered to a distorted image is scored where the rectified image has it."""
    lens = Intrinsics(64, 48, 40., 40., 31.5, 23.5, 'plumb_bob', (-.3, .1, 0., 0.))
    # A near disc on a far wall: wrong registration would show at its rim.
    rows, columns = np.indices((48, 64))
    depth = np.where((columns - 50) ** 2 + (rows - 24) ** 2 < 100, 1., 4.).astype(np.float32)
    image = np.repeat((depth[:, :, None] * 10).astype(np.uint8), 3, axis=2)
    rectifier = Rectifier(lens)
    rectified = rectifier.apply_depth(depth)
    assert np.count_nonzero(rectified != depth) > 40
    prediction = np.nan_to_num(rectified, nan=2.)
    source = source_of([Frame('f', 0, image, lens, depth)])
    result = evaluate(source, estimator_of(lambda _: prediction))
    assert result.scores is not None
    assert result.scores.columns['raw'].abs_rel == 0
    # Pixels beyond the lens have no reference and are not scored.
    assert result.scores.frames[0].pixels == np.count_nonzero(np.isfinite(rectified))


def test_observers_see_scored_frames_only(frames: list[Frame], source_of: Any,
                                          perfect: Any) -> None:
    """With the reference that was scored."""
    empty = replace(frames[1], depth=np.full((24, 32), np.nan, np.float32))
    seen: list[str] = []

    def observe(name: str, image: Any, prediction: Any, truth: Any) -> None:
        assert np.array_equal(prediction[4:], truth[4:])
        seen.append(name)
    result = evaluate(source_of([frames[0], empty, frames[2]]), perfect, observers=[observe])
    assert seen == ['f0', 'f2']
    assert sum(result.skipped.values()) == 1


def test_json_has_the_agreed_fields(memory_source: Any, perfect: Any) -> None:
    """Names that other tools read, and plain numbers."""
    fields = evaluate(memory_source, perfect, ScoringOptions(.5, 8)).to_dict()
    assert set(fields['frames']) == {'read', 'scored', 'skipped'}
    for column in ('raw', 'site_scaled', 'median_scaled'):
        assert {'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'silog', 'delta1', 'delta2',
                'delta3'} <= set(fields[column])
    assert set(fields['floors']) == {'constant', 'row_prior'}
    assert fields['floors']['constant']['raw'] is None
    assert set(fields['latency_ms']['network']) == {'p50', 'p95', 'p99'}
    assert fields['settings']['min_depth'] == .5
    assert len(fields['data']['hash']) == 32
    assert fields['peak_memory_mb'] > 10


def test_facts_of_a_bag(frames: list[Frame], tmp_path: Path, memory_source: Any,
                        perfect: Any) -> None:
    """Topics, pairing by stamp; a folder or a list has none."""
    path = tmp_path / 'b.mcap'
    with BagWriter(path) as writer:
        for frame in frames:
            writer.write(frame)
    bag = BagFrames(path)
    result = evaluate(bag, perfect, ScoringOptions())
    facts = source_facts(bag)
    assert facts['pairing']['exact'] == 4
    assert facts['pairing']['unpaired'] == 0
    assert facts['topics']['depth'].endswith(', 4 messages')
    assert source_facts(memory_source) == {}
    result.data.update(facts)
    assert result.to_dict()['data']['pairing']['near'] == 0


def test_many_cameras_are_summed_up(frames: list[Frame], source_of: Any, perfect: Any) -> None:
    """Eight are listed, the others counted."""
    many = [replace(frames[0], name=str(n), intrinsics=replace(
        frames[0].intrinsics, fx=30. + n % 10)) for n in range(20)]
    cameras = evaluate(source_of(many), perfect).data['cameras']
    assert len(cameras) == 9
    assert cameras['others'] == 4
    assert cameras['32x24 fx 30.0 fy 30.0 cx 15.5 cy 11.5'] == 2
