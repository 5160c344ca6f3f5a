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

"""Scoring of what a node published: every sent frame has a fate."""

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st
import numpy as np
import pytest

from mde_ros.camera.distortion import Rectifier
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.evaluation.evaluator import evaluate, EvaluationError
from mde_ros.evaluation.live import (
    DepthSpool, LOST_BEFORE, NO_DEPTH, NodeCounts, score_live, unaccounted)
from mde_ros.evaluation.scoring import ScoringOptions

VALUES = {'received': '4', 'processed': '3', 'pending': '0', 'lost before the node': '1',
          'dropped_busy': '1', 'dropped, bad image': '0', 'model': 'base-1234', 'device': 'cpu',
          'age p50 (ms)': '31.0', 'QoS /image': 'requested reliable'}


def test_counts_of_diagnostics() -> None:
    """Numbers are text there; reasons that did not occur are left out."""
    counts = NodeCounts.from_values(VALUES)
    assert (counts.received, counts.processed, counts.lost) == (4, 3, 1)
    assert counts.dropped == {'busy': 1}
    assert NodeCounts.from_values({'received': '-'}) == NodeCounts(values={'received': '-'})


def test_counts_since_the_start() -> None:
    """A node that has run before is not blamed for what was before."""
    before = NodeCounts.from_values({**VALUES, 'received': '2', 'processed': '2',
                                     'dropped_busy': '1', 'lost before the node': '0'})
    news = NodeCounts.from_values(VALUES).since(before)
    assert (news.received, news.processed, news.lost, news.dropped) == (2, 1, 1, {})


def test_spool_returns_what_came() -> None:
    """By stamp, with its age; a repeated stamp is counted, the first one kept."""
    spool = DepthSpool()
    depth = np.random.default_rng(0).random((3, 5)).astype(np.float32)
    spool.add(1_000_000_000, 1_050_000_000, depth)
    spool.add(2, 5, depth[:2] + 1)
    spool.add(2, 6, depth)
    assert np.array_equal(spool.get(1_000_000_000), depth)
    assert np.array_equal(spool.get(2), depth[:2] + 1)
    assert spool.ages[1_000_000_000] == pytest.approx(.05)
    assert (len(spool), spool.repeated) == (2, 1)
    assert 3 not in spool
    spool.close()


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(-3, 50))
def test_every_missing_frame_has_a_reason(missing: int, busy: int, bad: int, lost: int) -> None:
    """The reasons always add up, whatever the node counted."""
    counts = NodeCounts(lost=lost, dropped={'busy': busy, 'bad image': bad})
    found = unaccounted(missing, counts)
    assert sum(found.values()) == missing
    assert all(count > 0 for count in found.values())
    if busy + bad + max(lost, 0) >= missing:
        assert NO_DEPTH not in found


def test_values_equal_the_offline_ones(frames: list[Frame], source_of: Any,
                                       perfect: Any) -> None:
    """Frames 0, 2 and 3 came back, 1 was dropped: the same metrics as those three offline."""
    source = source_of(frames)
    spool = DepthSpool()
    stamps = [10, 20, 30, 40]
    for index in (0, 2, 3):
        spool.add(stamps[index], stamps[index] + 2_000_000,
                  frames[index].image[:, :, 0].astype(np.float32) / 8)
    result = score_live(source, frames, stamps, spool, NodeCounts.from_values(VALUES),
                        ScoringOptions())
    offline = evaluate(source_of([frames[0], frames[2], frames[3]]),
                       type(perfect)(lambda i: i[:, :, 0].astype(np.float32) / 8))
    assert result.scores == offline.scores
    assert result.read == 4
    assert result.skipped == {'dropped by the node: busy': 1}
    assert result.live is not None
    assert result.live['age_ms'] == pytest.approx({'p50': 2, 'p95': 2, 'p99': 2})
    assert (result.live['sent'], result.live['depth_received']) == (4, 3)
    assert result.live['lost_before_node'] == 0
    assert result.model['id'] == 'base-1234'
    assert list(result.timings) == ['f0', 'f2', 'f3']


def test_lost_frames_are_counted(frames: list[Frame], source_of: Any) -> None:
    """By the node's own sequence numbers, else as depth that never came."""
    spool = DepthSpool()
    spool.add(10, 11, frames[0].image[:, :, 0].astype(np.float32) / 10)
    counts = NodeCounts(received=2, processed=2, lost=1)
    result = score_live(source_of(frames, skipped={'corrupt image': 1}), frames,
                        [10, 20, 30, 40], spool, counts, ScoringOptions())
    assert result.skipped == {LOST_BEFORE: 1, NO_DEPTH: 2, 'corrupt image': 1}
    assert result.read == 5 == result.scored + sum(result.skipped.values())
    assert result.live is not None
    assert (result.live['lost_before_node'], result.live['lost_after_node']) == (2, 1)


def test_distorted_camera(source_of: Any) -> None:
    """The node publishes depth of the rectified image: the reference follows."""
    lens = Intrinsics(64, 48, 40., 40., 31.5, 23.5, 'plumb_bob', (-.3, .1, 0., 0.))
    depth = np.where(np.indices((48, 64))[1] > 50, 1., 4.).astype(np.float32)
    frame = Frame('f', 0, np.zeros((48, 64, 3), np.uint8), lens, depth)
    spool = DepthSpool()
    spool.add(7, 9, np.nan_to_num(Rectifier(lens).apply_depth(depth), nan=2.))
    seen = []
    result = score_live(source_of([frame]), [frame], [7], spool, NodeCounts(), ScoringOptions(),
                        observers=[lambda name, *_: seen.append(name)])
    assert result.scores is not None
    assert result.scores.columns['raw'].abs_rel == 0
    assert seen == ['f']


def test_nothing_came_back(frames: list[Frame], source_of: Any) -> None:
    """The message counts the reasons."""
    with pytest.raises(EvaluationError, match='4 no depth received'):
        score_live(source_of(frames), frames, [1, 2, 3, 4], DepthSpool(), NodeCounts(),
                   ScoringOptions())
    bare = [replace(frame, depth=None) for frame in frames]
    spool = DepthSpool()
    spool.add(1, 2, np.ones((24, 32), np.float32))
    with pytest.raises(EvaluationError, match='1 no reference depth'):
        score_live(source_of(bare), bare, [1, 2, 3, 4], spool, NodeCounts(), ScoringOptions())
