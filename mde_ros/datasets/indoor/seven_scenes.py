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

"""7-Scenes: SCENE/seq-NN/frame-NNNNNN.{color,depth}.png, TrainSplit.txt, TestSplit.txt."""

from collections.abc import Iterator, Mapping
from pathlib import Path
import re
from typing import ClassVar

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_files import (
    need_folder, read_16bit, read_lines, read_rgb, sorted_names, to_metres)
from mde_ros.datasets.indexed import IndexedDataset, PARTIAL
from mde_ros.datasets.indoor.registration import register_depth
from mde_ros.datasets.name_list import NameList

# Frames of the official sequences: (train, test).
OFFICIAL = {'chess': (4000, 2000), 'fire': (2000, 2000), 'heads': (1000, 1000),
            'office': (6000, 4000), 'pumpkin': (4000, 2000), 'redkitchen': (7000, 5000),
            'stairs': (2000, 1000)}
LISTS = {'train': 'TrainSplit.txt', 'test': 'TestSplit.txt'}
INVALID = 65535
# The authors give 585 and the middle of the image for depth and nothing for colour; 525 is the
# driver's value, which everybody uses.
DEPTH_CAMERA = Intrinsics(640, 480, 585., 585., 320., 240.)
COLOUR_CAMERA = Intrinsics(640, 480, 525., 525., 320., 240.)
# Of another Kinect (LIRIS, projet.liris.cnrs.fr/voir), which DSAC* and ACE use.
LIRIS_ROTATION = np.array([
    [.99996518012567637, 2.6765126468950343e-3, -7.9041012313000904e-3],
    [-2.7409311281316700e-3, .99996302803027592, -8.1504520778013286e-3],
    [7.8819942130445332e-3, 8.1718328771890631e-3, .99993554558014031]])
LIRIS_TRANSLATION = np.array(
    [-2.5558943178152542e-2, 1.0109636268061706e-4, 2.0318321729487039e-3])
# How a point of the depth camera moves to colour's axes. A Kinect as it is built, 25 mm between
# its two cameras and no turn, fits ten real frames of redkitchen better than the pose above:
# images are 2.4 times as steep as elsewhere along depth's edges, with the pose above 1.7 times,
# with depth as it is 1.3 times.
POSES = {'kinect': (np.eye(3), np.array([-.025, 0., 0.])),
         'liris': (LIRIS_ROTATION, LIRIS_TRANSLATION)}


class SevenScenes(IndexedDataset):
    """
    7-Scenes; its colour and depth were not calibrated to each other by the authors.

    :param path: a scene, or a folder of scenes.
    :param split: 'train' or 'test' after each scene's TrainSplit.txt and TestSplit.txt.
    :param register: 'kinect' projects depth into colour (f 525) with the geometry of a Kinect
        as it is built, 'liris' with the pose that was published for another Kinect; 'no' leaves
        depth as it was seen, about a tenth larger than colour and shifted, with the depth
        camera's intrinsics (f 585).
    :param partial: 'yes' takes a part of a scene.
    """

    options: ClassVar[Mapping[str, tuple[str, ...]]] = {'register': (*POSES, 'no'), **PARTIAL}
    splits = tuple(LISTS)
    depth_unit = 'millimetres (16 bit PNG)'

    def __init__(self, path: str | Path, split: str | None = None, read_depth: bool = True, *,
                 register: str = 'kinect', partial: str = 'no') -> None:
        super().__init__(path, split, read_depth, partial)
        need_folder(self.path)
        self._pose = POSES.get(register)
        scenes = [self.path] if _is_scene(self.path) else sorted(
            folder for folder in self.path.iterdir() if folder.is_dir() and _is_scene(folder))
        if not scenes:
            raise DatasetError(f'{self.path}: no scene; expected SCENE/seq-01/frame-000000.'
                               'color.png, with the zip files inside a scene unpacked')
        self.meta = {
            'camera': 'Kinect v1 (7-Scenes)', 'licence': 'Microsoft Research licence '
            '(non-commercial)', 'source': '7-Scenes',
            'registered': f'with the pose {register}, not measured by its authors'
            if self._pose else False}
        counts = dict.fromkeys(scenes, 0)
        self.names = NameList(self._list(counts))
        for scene, count in counts.items():
            train, test = OFFICIAL.get(scene.resolve().name, (0, 0))
            official = {'train': train, 'test': test}.get(str(split), train + test)
            self._check_count(official, 'seq-NN/frame-NNNNNN.color.png', count, scene)

    def _list(self, counts: dict[Path, int]) -> Iterator[str]:
        """Yield names, and count the frames of each scene."""
        for scene in counts:
            for sequence in self._sequences(scene):
                there = sorted_names(sequence)
                stems = [name[:-10] for name in there if name.endswith('.color.png')]
                if self.read_depth:
                    self._check_files(sequence, [f'{stem}.depth.png' for stem in stems],
                                      set(there))
                counts[scene] += len(stems)
                head = '/'.join(sequence.relative_to(self.path).parts)
                yield from (f'{head}/{stem}' for stem in stems)

    def _sequences(self, scene: Path) -> list[Path]:
        if self.split is None:
            return sorted(scene.glob('seq-*/'))
        path = scene / LISTS[self.split]
        folders = []
        for line in read_lines(path, "lines such as 'sequence1'"):
            match = re.fullmatch(r'(?:sequence|seq-?)0*(\d+)', line)
            if match is None:
                raise DatasetError(f"{path}: '{line}': expected 'sequence1'")
            folder = scene / f'seq-{int(match[1]):02d}'
            if not folder.is_dir():
                raise DatasetError(f'{folder} is missing: expected as {path.name} lists it')
            folders.append(folder)
        return folders

    def depth_file(self, index: int) -> Path:
        """Return the file that holds the depth of a frame, for messages."""
        return self.path / f'{self.names[index]}.depth.png'

    def read(self, index: int) -> Frame:
        """
        Read one frame.

        :raises FrameError: when this frame cannot be read.
        """
        name = self.names[index]
        camera = COLOUR_CAMERA if self._pose else DEPTH_CAMERA
        image = read_rgb(self.path / f'{name}.color.png', camera)
        depth = None
        if self.read_depth:
            depth = to_metres(read_16bit(self.depth_file(index), DEPTH_CAMERA), 1000, INVALID)
            if self._pose:
                depth = register_depth(depth, DEPTH_CAMERA, COLOUR_CAMERA, *self._pose)
        return Frame(name, 0, image, camera, depth)


def _is_scene(folder: Path) -> bool:
    return any(folder.glob('seq-*/'))
