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

"""Frames that INT8 is calibrated on: which, of what size, scored how."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.estimation.backends.base import EngineSpec
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.export import ExportError
from mde_ros.estimation.weights import WeightCard
from mde_ros.evaluation import calibration_frames
from mde_ros.evaluation.calibration_frames import collect, spread
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig


@pytest.fixture
def estimator() -> DepthEstimator:
    """Return an estimator that sees 64 x 48 pictures as they are."""
    torch.manual_seed(0)
    config = NetworkConfig(.25, (8, 8, 8, 8), canonical_focal=48.)
    return DepthEstimator((DepthNetwork(config), WeightCard('t', config, 64 * 48)))


def test_the_last_third_is_held_out_and_scored(rgbd_folder: Path, estimator: DepthEstimator,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_frames, 'LEAST', 6)
    source = open_dataset(rgbd_folder)
    found = collect(source, estimator, EngineSpec(64, 48))
    assert (len(found.calibration), len(found.held_out)) == (4, 2)
    frames = list(source)
    assert np.array_equal(found.calibration[0], frames[0].image)
    assert np.array_equal(found.held_out[-1], frames[-1].image)
    # Constant 2 m against depth that is known: frame n is 1 + .05 row + .1 n metres.
    assert found.abs_rel is not None
    expected = []
    for frame in frames[4:]:
        assert frame.depth is not None
        valid = np.isfinite(frame.depth)
        expected.append(np.mean(np.abs(2 - frame.depth[valid]) / frame.depth[valid]))
    constant = [np.full((24, 32), 2., np.float32)] * 2
    assert found.abs_rel(constant) == pytest.approx(np.mean(expected), rel=1e-5)


def test_without_labels_there_is_no_score(rgbd_folder: Path, estimator: DepthEstimator,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration_frames, 'LEAST', 6)
    source = open_dataset(rgbd_folder, read_depth=False)
    assert collect(source, estimator, EngineSpec(64, 48)).abs_rel is None


def test_few_frames_and_other_sizes_are_refused(rgbd_folder: Path, estimator: DepthEstimator,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_dataset(rgbd_folder)
    with pytest.raises(ExportError, match='6 readable frames, at least 12'):
        collect(source, estimator, EngineSpec(64, 48))
    monkeypatch.setattr(calibration_frames, 'LEAST', 6)
    with pytest.raises(ExportError, match='input of 64x48, not 80x48: give --size'):
        collect(source, estimator, EngineSpec(80, 48))


def test_frames_are_spread_and_bad_ones_left_out(rgbd_folder: Path) -> None:
    source = open_dataset(rgbd_folder)
    assert [frame.name for frame in spread(source, 3)] == ['000000', '000002', '000004']
    (rgbd_folder / 'rgb' / '000002.png').write_bytes(b'damaged')
    assert [frame.name for frame in spread(open_dataset(rgbd_folder), 3)] == ['000000', '000004']
