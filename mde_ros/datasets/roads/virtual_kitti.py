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

"""Virtual KITTI 1.3.1 and 2: the same drives in ten variants, with exact depth."""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_files import (
    need_folder, read_16bit, read_lines, read_rgb, sorted_names, to_metres)
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.name_list import NameList

VARIANTS = ('15-deg-left', '15-deg-right', '30-deg-left', '30-deg-right', 'clone', 'fog',
            'morning', 'overcast', 'rain', 'sunset')
# Frames of each scene, the same in every variant: 2126 in all.
SCENE_FRAMES = {1: 447, 2: 233, 6: 270, 18: 339, 20: 837}
SKY = 65535  # 655.35 m
# The published camera of both versions: 1242 x 375, f 725, centre (620.5, 187).
CAMERA = Intrinsics(1242, 375, 725., 725., 620.5, 187.)
_INTRINSIC = 'intrinsic.txt'
_NAME = re.compile(r'(?:Scene)?(\d+)_([a-z0-9-]+)_(?:Camera_\d_)?(\d+)')
_IMAGE = re.compile(r'(?:rgb_)?(\d{5})\.(?:png|jpg)')


@dataclass(frozen=True, order=True)
class VirtualFrame:
    """Which frame: scene 1, 2, 6, 18 or 20, a variant and the number in the scene."""

    scene: int
    variant: str
    number: int


class _VirtualKitti(IndexedDataset):
    """
    What both versions share.

    :param variant: one or several of VARIANTS with commas between; None is all of them.
    :param scene: one or several of 01, 02, 06, 18, 20; None is all of them.
    :param sky: 'nan' leaves the sky without depth, 'keep' gives it its stored 655.35 m, as fog
        is rendered with; it is beyond every cap then, and training must cut it off.
    :param partial: 'yes' takes the scenes, variants and frames that are there.
    """

    options = {'variant': (), 'scene': (), 'sky': ('nan', 'keep'), **PARTIAL}
    depth_unit: ClassVar[str] = 'centimetres in 16 bit, 65535 in the sky'
    layout: ClassVar[str]
    depth_name: ClassVar[str]

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 variant: str | None = None, scene: str | None = None,
                 sky: str = 'nan', partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        need_folder(self.path)
        if split is not None:
            raise DatasetError(f"{path}: no split '{split}': virtual KITTI has none; choose with "
                               'variant=NAME,... and scene=01,...')
        self._keep_sky = sky == 'keep'
        self._find_roots()
        variants = _chosen(variant, VARIANTS, 'variant', self.path)
        scenes = _chosen(scene, [f'{number:02d}' for number in SCENE_FRAMES], 'scene', self.path)
        self.meta = {'source': self.layout.split('/')[0], 'licence': 'CC BY-NC-SA 3.0',
                     'sky': sky}
        counts = {(int(number), name): 0 for number in sorted(set(scenes))
                  for name in sorted(set(variants))}
        # In the order of VirtualFrame, which is that of the names too.
        self.names = NameList(self.name_of(frame) for frame in self._list(counts))
        self._check_count(None, self.layout)
        for name in variants if variant else ():
            if not any(counts[key] for key in counts if key[1] == name):
                raise DatasetError(f"{self.path}: no frames of the variant '{name}'; expected "
                                   f'{self.layout}')
        for key, count in counts.items():
            self._check_count(SCENE_FRAMES[key[0]], self.layout, count, self._image_folder(*key))

    @abstractmethod
    def name_of(self, frame: VirtualFrame) -> str:
        """Return the name of a frame."""

    def _frame(self, name: str) -> VirtualFrame:
        """Return the frame that has a name."""
        match = _NAME.fullmatch(name)
        assert match
        return VirtualFrame(int(match[1]), match[2], int(match[3]))

    @abstractmethod
    def _find_roots(self) -> None:
        """Find the folders of images and depth; raise DatasetError when they are not there."""

    @abstractmethod
    def _image_folder(self, scene: int, variant: str) -> Path:
        """Return the folder that holds the images of a scene and variant."""

    @abstractmethod
    def _files(self, frame: VirtualFrame) -> tuple[Path, Path]:
        """Return the image and the depth file."""

    def _camera(self, frame: VirtualFrame) -> Intrinsics:
        """Return the intrinsics of a frame."""
        return CAMERA

    def read(self, index: int) -> Frame:
        """Read one frame; see IndexedDataset."""
        return self._read(self._frame(self.names[index]))

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame."""
        return self._files(self._frame(self.names[index]))[1]

    def paired(self, name: str, variant: str) -> Frame:
        """
        Return the frame that shows the same moment in another variant.

        Weather variants (clone, fog, rain, morning, overcast, sunset) see the same geometry,
        turned ones (15-deg-left, ...) another.

        :param name: a name of this data set.
        :raises DatasetError: for an unknown name or variant.
        :raises FrameError: when that frame cannot be read.
        """
        _chosen(variant, VARIANTS, 'variant', self.path)
        index = bisect_left(self.names, name)
        if self.names[index:index + 1] != [name]:
            raise DatasetError(f'{self.path}: no frame {name}')
        one = self._frame(name)
        return self._read(VirtualFrame(one.scene, variant, one.number))

    def _read(self, frame: VirtualFrame) -> Frame:
        image_file, depth_file = self._files(frame)
        camera = self._camera(frame)
        image = read_rgb(image_file, camera)
        depth: NDArray[np.float32] | None = None
        if self.read_depth:
            stored = read_16bit(depth_file, camera)
            depth = to_metres(stored, 100, *(() if self._keep_sky else (SKY,)))
        return Frame(self.name_of(frame), 0, image, camera, depth)

    def _list(self, counts: dict[tuple[int, str], int]) -> Iterator[VirtualFrame]:
        """Yield the frames whose images are there, and count those of each scene and variant."""
        for scene, variant in counts:
            found = map(_IMAGE.fullmatch, sorted_names(self._image_folder(scene, variant)))
            frames = [VirtualFrame(scene, variant, int(match[1])) for match in found if match]
            if self.read_depth and frames:
                folder = self._files(frames[0])[1].parent
                self._check_files(folder, [self.depth_name.format(frame.number)
                                           for frame in frames], set(sorted_names(folder)))
            counts[scene, variant] = len(frames)
            yield from frames


class VirtualKitti1(_VirtualKitti):
    """Virtual KITTI 1.3.1: vkitti_1.3.1_rgb/0001/clone/00000.png, vkitti_1.3.1_depthgt/..."""

    layout = ('vkitti_1.3.1_rgb/0001/clone/00000.png and '
              'vkitti_1.3.1_depthgt/0001/clone/00000.png')
    depth_name = '{:05d}.png'

    def name_of(self, frame: VirtualFrame) -> str:
        """Return such as 0001_clone_00000."""
        return f'{frame.scene:04d}_{frame.variant}_{frame.number:05d}'

    def _find_roots(self) -> None:
        need_folder(self.path, 'vkitti_1.3.1_rgb',
                    *(['vkitti_1.3.1_depthgt'] if self.read_depth else []))

    def _image_folder(self, scene: int, variant: str) -> Path:
        return self.path / 'vkitti_1.3.1_rgb' / f'{scene:04d}' / variant

    def _files(self, frame: VirtualFrame) -> tuple[Path, Path]:
        tail = Path(f'{frame.scene:04d}', frame.variant, f'{frame.number:05d}.png')
        return (self.path / 'vkitti_1.3.1_rgb' / tail, self.path / 'vkitti_1.3.1_depthgt' / tail)


class VirtualKitti2(_VirtualKitti):
    """
    Virtual KITTI 2: Scene01/clone/frames/rgb/Camera_0/rgb_00000.jpg and so on.

    The three downloads may be unpacked into one folder or into vkitti_2.0.3_rgb, _depth and
    _textgt. Without intrinsic.txt (of textgt) the published camera is taken.

    :param camera: '0' or '1', the right camera, .53 m beside.
    """

    options = {**_VirtualKitti.options, 'camera': ('0', '1')}
    layout = ('Scene01/clone/frames/rgb/Camera_0/rgb_00000.jpg and '
              'Scene01/clone/frames/depth/Camera_0/depth_00000.png')
    depth_name = 'depth_{:05d}.png'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 variant: str | None = None, scene: str | None = None, sky: str = 'nan',
                 camera: str = '0', partial: str = 'no') -> None:
        self._side = camera
        # Of each scene and variant: one for all its frames, or by number where they differ.
        self._cameras: dict[tuple[int, str], Intrinsics | dict[int, Intrinsics]] = {}
        super().__init__(path, split, read_depth, variant=variant, scene=scene, sky=sky,
                         partial=partial)

    def name_of(self, frame: VirtualFrame) -> str:
        """Return such as Scene01_clone_Camera_0_00000."""
        return f'Scene{frame.scene:02d}_{frame.variant}_Camera_{self._side}_{frame.number:05d}'

    def _find_roots(self) -> None:
        def root(part: str) -> Path:
            folder = self.path / f'vkitti_2.0.3_{part}'
            return folder if folder.is_dir() else self.path
        self._rgb, self._depth, self._text = root('rgb'), root('depth'), root('textgt')

    def _image_folder(self, scene: int, variant: str) -> Path:
        return (self._rgb / f'Scene{scene:02d}' / variant / 'frames' / 'rgb'
                / f'Camera_{self._side}')

    def _files(self, frame: VirtualFrame) -> tuple[Path, Path]:
        image = self._image_folder(frame.scene, frame.variant) / f'rgb_{frame.number:05d}.jpg'
        depth = (self._depth / f'Scene{frame.scene:02d}' / frame.variant / 'frames' / 'depth'
                 / f'Camera_{self._side}' / self.depth_name.format(frame.number))
        return image, depth

    def _camera(self, frame: VirtualFrame) -> Intrinsics:
        key = frame.scene, frame.variant
        if key not in self._cameras:
            path = self._text / f'Scene{frame.scene:02d}' / frame.variant / _INTRINSIC
            found = read_intrinsics(path, self._side) if path.is_file() else {}
            same = set(found.values())
            self._cameras[key] = found if len(same) > 1 else next(iter(same), CAMERA)
        camera = self._cameras[key]
        return camera.get(frame.number, CAMERA) if isinstance(camera, dict) else camera


def read_intrinsics(path: Path, side: str) -> dict[int, Intrinsics]:
    """
    Return the intrinsics by frame number of one camera of an intrinsic.txt of version 2.

    :raises DatasetError: naming the line that is not 'frame camera fx fy cx cy'.
    """
    found = {}
    for line in read_lines(path, "a header and lines 'frame cameraID fx fy cx cy'"):
        words = line.split()
        if words[0] == 'frame':
            continue
        try:
            number, camera, *k = int(words[0]), words[1], *map(float, words[2:])
            fx, fy, cx, cy = k
        except (ValueError, IndexError) as error:
            raise DatasetError(f"{path}: '{line}': expected 'frame cameraID fx fy cx cy'"
                               ) from error
        if camera == side:
            found[number] = Intrinsics(CAMERA.width, CAMERA.height, fx, fy, cx, cy)
    return found


def _chosen(text: str | None, there: tuple[str, ...] | list[str], key: str,
            path: Path) -> list[str]:
    """Return the values that a key names, all there are for None."""
    if text is None:
        return list(there)
    words = text.split(',')
    for word in words:
        if word not in there:
            raise DatasetError(f"{path}: {key} '{word}': there are: {', '.join(there)}")
    return words
