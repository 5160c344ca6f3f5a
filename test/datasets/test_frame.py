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

"""Frames and the protocol of their sources."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameSource
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.errors import MdeError


def test_a_frame_cannot_be_changed(small_camera: Intrinsics) -> None:
    frame = Frame('a', 0, np.zeros((48, 64, 3), np.uint8), small_camera)
    assert frame.depth is None
    with pytest.raises(FrozenInstanceError):
        frame.name = 'b'  # type: ignore[misc]


def test_a_folder_is_a_frame_source(rgbd_folder: Path) -> None:
    source: FrameSource = RgbdFolder(rgbd_folder)
    assert (source.name, source.skipped, len(source)) == ('tiny', {}, 6)
    assert [frame.name for frame in source] == [f'{index:06d}' for index in range(6)]


def test_errors_are_those_that_a_user_can_mend() -> None:
    assert issubclass(DatasetError, MdeError)
