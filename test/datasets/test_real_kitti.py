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

"""Real KITTI frames, where they are at hand: the crops fall where the laser's readings are."""

import os
from pathlib import Path

import numpy as np
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.evaluation.crops import crop_mask

DATA = Path(os.environ.get('MDE_DATA', '/work/shared/data'))


@pytest.mark.parametrize('name', ['kitti_raw_0926', 'kitti_odom_04'])
def test_garg_has_most_of_the_laser(name: str) -> None:
    if not (DATA / name / 'meta.json').is_file():
        pytest.skip(f'{DATA / name} is not here; MDE_DATA names the folder of recordings')
    frame = RgbdFolder(DATA / name)[0]
    assert frame.depth is not None
    valid = np.isfinite(frame.depth)
    share = {crop: (valid & crop_mask(crop, *valid.shape)).sum() / valid.sum()
             for crop in ('garg', 'eigen')}
    # The laser sees nothing of the upper third and little of the lower edge of an image.
    assert share['garg'] > .85 and share['eigen'] > .6
    # Upside down it would not be so.
    assert (valid[::-1] & crop_mask('garg', *valid.shape)).sum() / valid.sum() < .7
    assert 5 < np.nanmedian(frame.depth) < 30
