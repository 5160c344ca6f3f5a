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

"""Hypersim: ai_VVV_NNN/images/scene_cam_XX_{final,geometry}_{preview,hdf5}/frame.IIII.*."""

from collections.abc import Iterator, Mapping
import csv
from itertools import groupby
import os
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.geometry import ray_length_factor
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame, FrameError
from mde_ros.datasets.image_files import check_size, need_folder, read_rgb, sorted_names
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.hdf5_file import open_hdf5
from mde_ros.datasets.name_list import NameList

CAMERAS, SPLITS = 'metadata_camera_parameters.csv', 'metadata_images_split_scene_v1.csv'
# Places of the two lists in the download and in the ml-hypersim repository.
PLACES = '.', 'evermotion_dataset/analysis', 'contrib/mikeroberts3000', '../analysis', '..'
# Of the public release: the rows of SPLITS that are in it.
OFFICIAL = 74619
DEPTH, PREVIEW, COLOUR = '.depth_meters.hdf5', '.tonemap.jpg', '.color.hdf5'
SIZE = 1024, 768
FOCAL = 886.81  # 60 degrees across, where CAMERAS is not at hand
# The toolkit's tone mapping: the 90th percentile of brightness becomes 0.8 after gamma.
PERCENTILE, BRIGHT, GAMMA = 90, .8, 1 / 2.2


class Hypersim(IndexedDataset):
    """
    Hypersim, its distances to the camera's centre turned into depths along the axis.

    Distances are in metres already; metres_per_asset_unit is for positions, which are not
    read. Each scene's own intrinsics come from metadata_camera_parameters.csv; frames of scenes
    whose image plane is tilted are skipped and counted, as no pinhole describes them.

    :param path: the folder of ai_VVV_NNN, or one that holds evermotion_dataset/scenes.
    :param split: 'train', 'val' or 'test' of metadata_images_split_scene_v1.csv, which leaves
        out the frames that its authors excluded.
    :param colour: 'preview' (tone mapped JPEG), 'hdf5' (tone mapped here, as the toolkit
        does), or 'auto': preview where it is there.
    :param partial: 'yes' takes the scenes and frames that are there.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {
        'colour': ('auto', 'preview', 'hdf5'), **PARTIAL}
    splits = 'train', 'val', 'test'
    depth_unit = 'metres from the centre of the camera (depth_meters.hdf5)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 colour: str = 'auto', partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        need_folder(self.path)
        nested = self.path / 'evermotion_dataset' / 'scenes'
        self.root = nested if nested.is_dir() else self.path
        self._colour = colour
        self._cameras = self._read_cameras()
        self.meta = {
            'camera': 'rendered', 'licence': 'CC BY-SA 3.0', 'source': 'Hypersim',
            'intrinsics': 'of each scene' if self._cameras else f'{FOCAL} for every scene, '
            f'as {CAMERAS} is missing'}
        # SCENE/CAMERA/NUMBER
        self.names = NameList(self._read_split(split) if split else self._list())
        what = 'ai_VVV_NNN/images/scene_cam_XX_geometry_hdf5/frame.*'
        self._check_count(None, what)
        for camera, names in groupby(self.names, lambda name: name.rpartition('/')[0]):
            self._check_camera(camera, [name.rpartition('/')[2] for name in names])
        if split is None:
            self._check_count(OFFICIAL, what)

    def _check_camera(self, name: str, numbers: list[str]) -> None:
        """Check that colour and depth of the frames of SCENE/CAMERA are there."""
        if self.read_depth:
            folder = self._folder(name, 'geometry_hdf5')
            self._check_files(folder, [f'frame.{number}{DEPTH}' for number in numbers],
                              set(sorted_names(folder, DEPTH)))
        places = {'hdf5': (self._folder(name, 'final_hdf5'), COLOUR),
                  'preview': (self._folder(name, 'final_preview'), PREVIEW)}
        there = {file.removesuffix(end) for kind, (folder, end) in places.items()
                 if self._colour in (kind, 'auto') for file in sorted_names(folder, end)}
        folder, end = places['hdf5' if self._colour == 'hdf5' else 'preview']
        self._check_files(folder, [f'frame.{number}{end}' for number in numbers],
                          {stem + end for stem in there})

    def _find(self, name: str) -> Path | None:
        return next((self.path / place / name for place in PLACES
                     if (self.path / place / name).is_file()), None)

    def _read_cameras(self) -> dict[str, Intrinsics | None]:
        path = self._find(CAMERAS)
        if path is None:
            return {}
        try:
            with path.open(newline='', encoding='utf-8') as file:
                return {row['scene_name']: camera_of(row) for row in csv.DictReader(file)}
        except (KeyError, ValueError) as error:
            raise DatasetError(f'{path}: expected the columns scene_name, settings_output_img_'
                               f'width and M_cam_from_uv_00 to _22 ({error})') from error

    def _read_split(self, split: str) -> Iterator[str]:
        path = self._find(SPLITS)
        if path is None:
            raise DatasetError(f'{self.path / SPLITS} is missing: the split {split} needs it '
                               '(ml-hypersim/evermotion_dataset/analysis)')
        scenes = {entry.name for entry in os.scandir(self.root) if entry.is_dir()}
        missing: dict[str, None] = {}
        with path.open(newline='', encoding='utf-8') as file:
            for row in csv.DictReader(file):
                if (row.get('split_partition_name') == split
                        and row['included_in_public_release'].lower() == 'true'):
                    if row['scene_name'] in scenes:
                        yield (f'{row["scene_name"]}/{row["camera_name"]}/'
                               f'{int(row["frame_id"]):04d}')
                    else:
                        missing[row['scene_name']] = None
        if missing:
            self._incomplete(f'{self.root / next(iter(missing))} is missing ({len(missing)} of '
                             f'the scenes of the split {split} in {path} are)')

    def _list(self) -> Iterator[str]:
        for folder in sorted(self.root.glob('ai_*_*/images/scene_*_geometry_hdf5')):
            camera = folder.name.removeprefix('scene_').removesuffix('_geometry_hdf5')
            for name in sorted_names(folder, DEPTH):
                yield f'{folder.parent.parent.name}/{camera}/{name.split(".")[1]}'

    def _folder(self, name: str, part: str) -> Path:
        scene, _, camera = name.partition('/')
        return self.root / scene / 'images' / f'scene_{camera}_{part}'

    def _file(self, name: str, part: str, kind: str) -> Path:
        camera, _, number = name.rpartition('/')
        return self._folder(camera, part) / f'frame.{number}{kind}'

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self._file(self.names[index], 'geometry_hdf5', DEPTH)

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        name = self.names[index]
        scene = name.partition('/')[0]
        camera = self._cameras.get(scene, Intrinsics(
            *SIZE, FOCAL, FOCAL, SIZE[0] / 2 - .5, SIZE[1] / 2 - .5))
        if camera is None:
            raise FrameError('the image plane is tilted: no pinhole', str(self.root / scene))
        image = self._image(name, camera)
        depth = None
        if self.read_depth:
            distance = _load(self._file(name, 'geometry_hdf5', DEPTH), camera).astype(np.float32)
            depth = (distance / ray_length_factor(camera)).astype(np.float32)
            depth[~np.isfinite(depth) | (depth <= 0)] = np.nan
        return Frame(name, 0, image, camera, depth)

    def _image(self, name: str, camera: Intrinsics) -> NDArray[np.uint8]:
        preview = self._file(name, 'final_preview', PREVIEW)
        if self._colour == 'preview' or (self._colour == 'auto' and preview.is_file()):
            return read_rgb(preview, camera)
        radiance = _load(self._file(name, 'final_hdf5', COLOUR), camera)
        entities = self._file(name, 'geometry_hdf5', '.render_entity_id.hdf5')
        seen = _load(entities, camera) != -1 if entities.is_file() else None
        return tone_map(radiance.astype(np.float32), seen)


def camera_of(row: Mapping[str, str]) -> Intrinsics | None:
    """
    Return the pinhole of a row of metadata_camera_parameters.csv, None for a tilted plane.

    M_cam_from_uv takes (u, v, 1) with u, v from -1 to 1 over the image, v up, to a ray with z
    backwards.
    """
    m = np.array([[float(row[f'M_cam_from_uv_{i}{j}']) for j in range(3)] for i in range(3)])
    width, height = (int(float(row[f'settings_output_img_{side}'])) for side in
                     ('width', 'height'))
    scale = np.abs(m).max()
    if np.abs([m[0, 1], m[1, 0], m[2, 0], m[2, 1]]).max() > 1e-6 * scale or m[2, 2] >= 0:
        return None
    # x/z = (m00 u + m02) / -m22 with u = (2 column + 1) / width - 1, and so on.
    fx, fy = width / 2 * -m[2, 2] / m[0, 0], height / 2 * -m[2, 2] / m[1, 1]
    return Intrinsics(width, height, fx, fy,
                      (width - 1) / 2 - width / 2 * m[0, 2] / m[0, 0],
                      (height - 1) / 2 + height / 2 * m[1, 2] / m[1, 1])


def tone_map(radiance: NDArray[np.float32], seen: NDArray[np.bool_] | None = None
             ) -> NDArray[np.uint8]:
    """
    Return a picture from radiance, H x W x 3, as scene_generate_images_tonemap.py does.

    :param seen: pixels that show geometry, which set the exposure; None for all.
    """
    brightness = radiance @ np.array([.3, .59, .11], np.float32)
    values = brightness[seen] if seen is not None and seen.any() else brightness.ravel()
    level = float(np.percentile(np.nan_to_num(values), PERCENTILE))
    scale = BRIGHT ** (1 / GAMMA) / level if level >= 1e-4 else 0.
    mapped = np.clip(np.maximum(scale * np.nan_to_num(radiance), 0) ** GAMMA, 0, 1)
    return np.rint(mapped * 255).astype(np.uint8)


def _load(path: Path, camera: Intrinsics) -> NDArray[np.generic]:
    if not path.is_file():
        raise FrameError('no file', str(path))
    try:
        with open_hdf5(path, 'one array named dataset') as file:
            values: NDArray[np.generic] = file['dataset'][:]
    except FrameError:
        raise
    except (DatasetError, KeyError, OSError) as error:
        raise FrameError('corrupt HDF5 file', str(path)) from error
    check_size(path, values.shape, camera)
    return values
