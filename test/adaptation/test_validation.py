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

"""The score while training, by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.validation import Validation
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.network.depth_network import NetworkConfig

# A camera of 128 x 96 is halved to 64 x 48: focal length 40 of 20 canonical pixels.
CAMERA = Intrinsics(128, 96, 80., 80., 63.5, 47.5)
CONFIG = TrainConfig(sizes=((1., 64, 48),), min_depth=.5, max_depth=10.,
                     network=NetworkConfig(canonical_focal=20.))


class OneCanonicalMetre(nn.Module):
    """Log depth 0 everywhere: two metres for the camera above."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.config = CONFIG.network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return zeros at half the size."""
        assert image.shape == (1, 3, 48, 64)
        assert image.min() == image.max() == -1  # black, normalised
        self.calls += 1
        return torch.zeros(1, 1, 24, 32)


def folder(path: Path, *depths: tuple[float, float]) -> RgbdFolder:
    """Write black frames whose left half is at the first depth, the right at the second."""
    with RgbdFolderWriter(path, CAMERA, camera='test', licence='none', source='test') as writer:
        for number, halves in enumerate(depths):
            depth = np.repeat(np.float32(halves), 64)[None].repeat(96, 0)
            writer.write(Frame(f'{number}', 0, np.zeros((96, 128, 3), np.uint8), CAMERA, depth))
    return RgbdFolder(path)


def test_by_hand(tmp_path: Path) -> None:
    source = folder(tmp_path / 'a', (1., 4.), (2., 2.))
    scores = Validation(source, 60, CONFIG)(OneCanonicalMetre())  # type: ignore[arg-type]
    # Frame 0: 2 m predicted where 1 and 4 are true, ratios 2 and 1/2, median 1.25, 1.6 and .4.
    # Frame 1 is perfect.
    assert scores == {'abs_rel': pytest.approx((.75 + 0) / 2),
                      'abs_rel_median_scaled': pytest.approx((.6 + 0) / 2),
                      'delta1': pytest.approx((0 + 1) / 2)}


def test_only_depth_in_the_range_counts(tmp_path: Path) -> None:
    source = folder(tmp_path / 'a', (2.2, float('nan')), (2.2, 11.), (2.2, .4))
    scores = Validation(source, 60, CONFIG)(OneCanonicalMetre())  # type: ignore[arg-type]
    assert scores['abs_rel'] == pytest.approx(1 - 2 / 2.2, abs=1e-5)
    assert scores['delta1'] == 1


@pytest.mark.parametrize(('frames', 'expected'), [
    (1, [0]), (2, [0, 9]), (4, [0, 3, 6, 9]), (99, list(range(10)))])
def test_frames_are_evenly_spaced(tmp_path: Path, frames: int, expected: list[int]) -> None:
    source = folder(tmp_path / 'a', *[(2., 2.)] * 10)
    validation, network = Validation(source, frames, CONFIG), OneCanonicalMetre()
    assert validation.indices.tolist() == expected
    validation(network)  # type: ignore[arg-type]
    assert network.calls == len(expected)


def test_bad_frames_are_skipped_and_counted(tmp_path: Path) -> None:
    source = folder(tmp_path / 'a', (1., 1.), (2., 2.))
    (tmp_path / 'a' / 'rgb' / '0.jpg').write_bytes(b'no image')
    validation = Validation(source, 2, CONFIG)
    for _ in range(2):
        assert validation(OneCanonicalMetre())['abs_rel'] == 0  # type: ignore[arg-type]
    assert sum(source.skipped.values()) == 1


def test_nothing_to_score(tmp_path: Path) -> None:
    source = folder(tmp_path / 'a', (float('nan'), float('nan')))
    assert Validation(source, 5, CONFIG)(OneCanonicalMetre()) == {}  # type: ignore[arg-type]
