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

"""ScanNet: exported scenes (color/, depth/, intrinsic/) or .sens files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import (
    need_folder, read_16bit, read_lines, read_numbers, read_rgb, sorted_names, to_metres)
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.scannet_sens import SensFile
from mde_ros.datasets.name_list import NameList
from mde_ros.datasets.rgbd_folder_files import natural_key

# Scenes of the lists that the ScanNet repository publishes.
LISTS = {'train': ('scannetv2_train.txt', 1201), 'val': ('scannetv2_val.txt', 312),
         'test': ('scannetv2_test.txt', 100)}
# Undistorting left a black rim on the colour pictures: so many pixels of 640 are cut off.
RIM = 8


@dataclass(frozen=True)
class Pinhole:
    """Focal lengths and principal point of an image whose size is not known yet."""

    fx: float
    fy: float
    cx: float
    cy: float

    def at(self, width: int, height: int, path: Path) -> Intrinsics:
        """Return the intrinsics; the principal point must lie near the middle of the image."""
        if abs(self.cx / width - .5) > .1 or abs(self.cy / height - .5) > .1:
            raise FrameError('intrinsics are of another image size',
                             f'{path}: {width}x{height}, centre {self.cx:g}, {self.cy:g}')
        return Intrinsics(width, height, self.fx, self.fy, self.cx, self.cy)


class ScanNet(IndexedDataset):
    """
    ScanNet at the resolution of its depth, untouched; colour is brought onto depth's pixels.

    The two cameras share one centre in ScanNet's files (extrinsics are the identity), so that
    colour moves to the depth camera's pinhole exactly, by a scale and a shift: it is averaged
    down, never depth. Where extrinsics are not the identity, the scene is refused.

    :param path: a scene, a folder of scenes (or scans/), or one .sens file.
    :param split: 'train', 'val' or 'test' after scannetv2_SPLIT.txt in the folder.
    :param rim: pixels cut off each side (of depth), where colour is black; 8 by default.
    :param partial: 'yes' takes the scenes of a split that are there, and what there is of them.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'rim': (), **PARTIAL}
    splits = tuple(LISTS)
    depth_unit = 'millimetres (16 bit PNG)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 rim: str = str(RIM), partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        if not rim.isdecimal():
            raise DatasetError(f"{path}: rim = '{rim}': give a number of pixels")
        self._rim = int(rim)
        scenes = self._find_scenes()
        self.meta = {
            'camera': 'Structure sensor (ScanNet)', 'licence': 'ScanNet Terms of Use '
            '(non-commercial research)', 'source': 'ScanNet', 'rim_cut_off': self._rim,
            'size': "depth's; colour scaled onto it"}
        if split is not None:
            scenes = self._select(scenes, split)
        self._streams: dict[str, SensFile] = {}
        self._cameras: dict[str, tuple[Path, Pinhole, Pinhole]] = {}
        self.names = NameList(f'{name}/{stem}' for name, scene in scenes.items() for stem in (
            self._open_stream(name, scene) if scene.suffix == '.sens'
            else self._open_folder(name, scene)))
        what = 'SCENE/color/N.jpg and depth/N.png, or SCENE.sens'
        self._check_count(None, what)
        for stream in self._streams.values():
            self._check_count(stream.official, 'frames that its header counts', len(stream),
                              stream.path)

    def _find_scenes(self) -> dict[str, Path]:
        if self.path.suffix == '.sens':
            return {self.path.stem: self.path}
        need_folder(self.path)
        root = self._root()
        folders = [root] if (root / 'color').is_dir() or (root / 'depth').is_dir() else sorted(
            folder for folder in root.iterdir() if folder.is_dir())
        scenes = {}
        for folder in folders:
            stream = folder / f'{folder.name}.sens'
            if (folder / 'color').is_dir() or (folder / 'depth').is_dir():
                scenes[folder.name] = folder
            elif stream.is_file():
                scenes[folder.name] = stream
        if not scenes:
            raise DatasetError(f'{root}: no scenes; expected SCENE/color, SCENE/depth and '
                               'SCENE/intrinsic as SensReader exports them, or SCENE/SCENE.sens')
        return scenes

    def _root(self) -> Path:
        return self.path / 'scans' if (self.path / 'scans').is_dir() else self.path

    def _select(self, scenes: dict[str, Path], split: str) -> dict[str, Path]:
        name, official = LISTS[split]
        listed = read_lines(self.path / name, f'the list of the {official} scenes of {split}')
        if len(listed) != official:
            raise DatasetError(f'{self.path / name}: {len(listed)} scenes, expected {official}: '
                               'download it again from the ScanNet repository')
        missing = [scene for scene in listed if scene not in scenes]
        if missing:
            self._incomplete(f'{self._root() / missing[0]} is missing ({len(missing)} of the '
                             f'{official} scenes in {name} are)')
        wanted = set(listed)
        return {scene: path for scene, path in scenes.items() if scene in wanted}

    def _open_folder(self, name: str, scene: Path) -> list[str]:
        need_folder(scene, 'color')
        self._cameras[name] = scene, _pinhole(scene, 'color'), _pinhole(scene, 'depth')
        for which in ('color', 'depth'):
            path = scene / 'intrinsic' / f'extrinsic_{which}.txt'
            if path.is_file():
                _check_pose(np.array(read_numbers(path, 16, 'a 4 x 4 matrix')), str(path))
        stems = [file[:-4] for file in sorted_names(scene / 'color', ('.jpg', '.png'))]
        if self.read_depth:
            self._check_files(scene / 'depth', [f'{stem}.png' for stem in stems],
                              set(sorted_names(scene / 'depth')))
        return sorted(stems, key=natural_key)

    def _open_stream(self, name: str, path: Path) -> Iterator[str]:
        stream = self._streams[name] = SensFile(path)
        header = stream.header
        for pose in (header.colour[1], header.depth[1]):
            _check_pose(pose.ravel(), str(path))
        colour, depth = (Pinhole(float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2]))
                         for k in (header.colour[0], header.depth[0]))
        self._cameras[name] = path, colour, depth
        return map(str, range(len(stream)))

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        scene, _, stem = self.names[index].partition('/')
        path = self._cameras[scene][0]
        return path if scene in self._streams else path / 'depth' / f'{stem}.png'

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        name = self.names[index]
        scene, _, stem = name.partition('/')
        path, colour_pinhole, depth_pinhole = self._cameras[scene]
        stamp, stored = 0, None
        if scene in self._streams:
            stamp, bgr, stored = self._streams[scene].read(int(stem), self.read_depth)
            rgb: NDArray[Any] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            size = self._streams[scene].header.depth[2:]
        else:
            file = path / 'color' / f'{stem}.jpg'
            rgb = read_rgb(file if file.exists() else file.with_suffix('.png'))
            if self.read_depth:
                stored = read_16bit(self.depth_file(index))
            # Unlabelled frames come at the same size: depth's, whose middle its centre is.
            size = stored.shape[::-1] if stored is not None else (
                round(2 * depth_pinhole.cx / 16) * 16, round(2 * depth_pinhole.cy / 16) * 16)
        colour = colour_pinhole.at(rgb.shape[1], rgb.shape[0], path)
        camera = depth_pinhole.at(*size, path)
        image = onto(rgb, colour, camera)
        rim, depth = self._rim, None
        inner = camera.cropped(rim, rim, camera.width - 2 * rim, camera.height - 2 * rim)
        window = slice(rim, camera.height - rim), slice(rim, camera.width - rim)
        if stored is not None:
            per_metre = (self._streams[scene].header.per_metre if scene in self._streams
                         else 1000.)
            depth = np.ascontiguousarray(to_metres(stored, per_metre)[window])
        return Frame(name, stamp, np.ascontiguousarray(image[window]), inner, depth)


@lru_cache(maxsize=8)
def _plan(colour: Intrinsics, camera: Intrinsics) -> tuple[tuple[int, int], NDArray[np.float64]]:
    """Return the size to shrink to first and the affine map from camera's pixels to it."""
    small = (max(1, round(colour.width * camera.fx / colour.fx)),
             max(1, round(colour.height * camera.fy / colour.fy)))
    k = colour.resized(*small)
    sx, sy = k.fx / camera.fx, k.fy / camera.fy
    return small, np.array([[sx, 0, k.cx - sx * camera.cx], [0, sy, k.cy - sy * camera.cy]])


def onto(image: NDArray[np.uint8], colour: Intrinsics, camera: Intrinsics) -> NDArray[np.uint8]:
    """Return an image as a pinhole with the same centre and axis sees it."""
    small, affine = _plan(colour, camera)
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    moved: NDArray[Any] = cv2.warpAffine(
        shrunk, affine, (camera.width, camera.height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return moved


def _pinhole(scene: Path, which: str) -> Pinhole:
    path = scene / 'intrinsic' / f'intrinsic_{which}.txt'
    short = scene / f'intrinsics_{which}.txt'  # as scannet_frames_25k has it
    k = read_numbers(short if short.is_file() else path, 11, 'a 4 x 4 matrix')
    return Pinhole(k[0], k[5], k[2], k[6])


def _check_pose(pose: NDArray[Any], where: str) -> None:
    if not np.allclose(pose, np.eye(4).ravel(), atol=1e-3):
        raise DatasetError(f'{where}: colour and depth have different poses; expected the '
                           'identity, as in all of ScanNet')
