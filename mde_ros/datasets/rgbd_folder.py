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

"""RGB-D folders: rgb/NAME.jpg, depth/NAME.png in millimetres, meta.json."""

from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.rgbd_folder_files import (
    decode, list_images, load, META, natural_key, read_depth_png, read_meta)


class RgbdFolder(IndexedDataset):
    """
    The frames of one RGB-D folder, in order of stamp and name.

    Opening lists the folder and reads meta.json, no image.

    :param path: the folder with rgb/, meta.json and, where there are labels, depth/.
    :param split: one of meta.json's ``splits``, in its order; None for all frames.
    :param read_depth: whether frames carry their depth. A frame without a depth file is skipped
        then, unless the folder is unlabelled (has no depth/ at all).
    :param intrinsics: used instead of those of meta.json, as where it has none.
    :raises DatasetError: naming the file or field that is missing or wrong.
    """

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 intrinsics: Intrinsics | None = None) -> None:
        super().__init__(path, split, read_depth)
        self.meta = read_meta(self.path)
        self.intrinsics = _choose_intrinsics(self.path, self.meta, intrinsics)
        self._frame_intrinsics: dict[str, Any] = (
            {} if intrinsics else self._mapping('frame_intrinsics'))
        self._stamps = self._mapping('stamps')
        self._files = list_images(self.path / 'rgb')
        self.labelled = (self.path / 'depth').is_dir()
        self.names = self._select(split)

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        name = self.names[index]
        try:
            stamp = int(self._stamps.get(name, 0))
            camera = self._intrinsics_of(name)
        except (TypeError, ValueError, OverflowError, IntrinsicsError) as error:
            raise FrameError('wrong stamp or intrinsics in meta.json',
                             f'{self.path / META}, frame {name}') from error
        path = self.image_path(name)
        encoded = load(path)
        image = decode(encoded, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None:
            raise FrameError('corrupt image', str(path))
        if image.shape[:2] != (camera.height, camera.width):
            raise FrameError(
                f'image size is not the {camera.width}x{camera.height} of meta.json',
                f'{path} is {image.shape[1]}x{image.shape[0]}')
        depth = None
        if self.read_depth and self.labelled:
            depth = read_depth_png(self.path / 'depth' / f'{name}.png', image.shape[:2])
        rgb: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        return Frame(name, stamp, rgb, camera, depth)

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self.path / 'depth' / f'{self.names[index]}.png'

    def image_path(self, name: str) -> Path:
        """
        Return the image file of a frame, for those who copy it without decoding.

        :raises FrameError: when a split names a frame that rgb/ does not have.
        """
        file = self._files.get(name)
        if file is None:
            raise FrameError('no image file', str(self.path / 'rgb' / name))
        return self.path / 'rgb' / file

    def _mapping(self, field: str) -> dict[str, Any]:
        value = self.meta.get(field) or {}
        if not isinstance(value, dict):
            raise DatasetError(f"{self.path / META}: '{field}' must map frame names to values")
        return value

    def _intrinsics_of(self, name: str) -> Intrinsics:
        k = self._frame_intrinsics.get(name)
        if k is None:
            return self.intrinsics
        return Intrinsics.from_dict({**self.intrinsics.to_dict(), 'intrinsics': k})

    def _select(self, split: str | None) -> list[str]:
        if split is None:
            if not self._files:
                raise DatasetError(f'{self.path / "rgb"}: no images (expected NAME.jpg or .png)')
            # The key is only for sorting: unreadable stamps are reported with their frame.
            stamps = {name: value for name, value in self._stamps.items()
                      if isinstance(value, (int, float))}
            return sorted(self._files, key=lambda name: (stamps.get(name, 0), natural_key(name)))
        splits = self._mapping('splits')
        if split not in splits:
            there = ', '.join(splits) if splits else 'none'
            raise DatasetError(f"{self.path / META}: no split '{split}'; there are: {there}")
        if not isinstance(splits[split], list) or not splits[split]:
            raise DatasetError(f"{self.path / META}: the split '{split}' lists no frames")
        return [str(name) for name in splits[split]]


def _choose_intrinsics(path: Path, meta: dict[str, Any],
                       given: Intrinsics | None) -> Intrinsics:
    if given is not None:
        size = meta.get('width', given.width), meta.get('height', given.height)
        if size != (given.width, given.height):
            raise DatasetError(
                f'{path / META}: images of {size[0]}x{size[1]}, but the given intrinsics are for '
                f'{given.width}x{given.height}: calibrate or scale them for this size')
        return given
    if not meta.get('intrinsics'):
        raise DatasetError(f"{path / META}: no 'intrinsics' {{fx, fy, cx, cy}}: add them there "
                           'or give --camera FILE.yaml')
    try:
        return Intrinsics.from_dict(meta)
    except IntrinsicsError as error:
        raise DatasetError(f'{path / META}: {error}') from error
