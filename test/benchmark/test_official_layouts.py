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

"""Trees of hard links that the readers take for the data sets themselves."""

from collections.abc import Callable
import errno
import os
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from mde_ros.datasets.registry import open_spec, parse_spec


@pytest.fixture(scope='module')
def layouts(load_script: Callable[[str], ModuleType]) -> ModuleType:
    """Return benchmark/official_layouts.py as a module."""
    return load_script('official_layouts')


@pytest.mark.parametrize(('kind', 'shape', 'metres'), [
    ('vkitti2', (375, 1242), 20.), ('kitti', (375, 1242), 2000 / 256), ('sun', (375, 1242), .25),
    ('tum', (480, 640), .4)])
def test_frames_are_found_and_read(layouts: ModuleType, tmp_path: Path, kind: str,
                                   shape: tuple[int, int], metres: float) -> None:
    rgb, depth, tree = tmp_path / 'rgb.jpg', tmp_path / 'depth.png', tmp_path / 'tree'
    tree.mkdir()
    cv2.imwrite(str(rgb), np.full((*shape, 3), 90, np.uint8))
    cv2.imwrite(str(depth), np.full(shape, 2000, np.uint16))
    data = open_spec(parse_spec(layouts.MAKERS[kind](tree, 3, rgb, depth)))
    assert len(data) == 3
    frame = data[2]
    assert frame.image.shape == (*shape, 3)
    assert frame.depth is not None
    assert np.nanmedian(frame.depth) == pytest.approx(metres)


def test_laser_points_are_found(layouts: ModuleType, tmp_path: Path) -> None:
    rgb = tmp_path / 'rgb.jpg'
    cv2.imwrite(str(rgb), np.zeros((375, 1242, 3), np.uint8))
    for kind in ('kitti_velodyne', 'kitti_laser_cache'):
        data = open_spec(parse_spec(layouts.MAKERS[kind](tmp_path / kind, 2, rgb, rgb)))
        depth = data[1].depth
        assert depth is not None
        assert 0 < np.nanmin(depth) < np.nanmax(depth) < 62


def test_more_links_than_a_file_may_have(layouts: ModuleType, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    source, link, limit = tmp_path / 'a.png', os.link, 3

    def limited(one: Path, other: Path) -> None:
        if one.stat().st_nlink == limit:
            raise OSError(errno.EMLINK, 'Too many links')
        link(one, other)

    monkeypatch.setattr(os, 'link', limited)
    source.write_bytes(b'picture')
    targets = [tmp_path / 'rgb' / f'{number}.png' for number in range(5)]
    for target in targets:
        layouts.link(source, target)
    assert [target.read_bytes() for target in targets] == [b'picture'] * 5
    # Two and their source, which a copy replaced; two more and the copy; one and a second copy.
    assert [target.stat().st_nlink for target in targets] == [2, 2, 2, 2, 2]
