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

"""Any data set by its path or spec string: an RGB-D folder, a bag or one of the field's."""

from pathlib import Path
from typing import Any

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.bag_file import BAG_SUFFIXES, is_bag
from mde_ros.datasets.bag_reader import BagFrames
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.registry import KINDS, open_spec, parse_spec
from mde_ros.datasets.rgbd_folder import RgbdFolder


def open_dataset(spec: str | Path, *, split: str | None = None, read_depth: bool = True,
                 intrinsics: Intrinsics | None = None,
                 **bag_options: Any) -> IndexedDataset | BagFrames:
    """
    Open a data set; all kinds are a FrameSource.

    :param spec: an RGB-D folder (with meta.json), a bag file, a rosbag2 folder, or
        KIND:PATH?key=value with a kind of the registry, such as 'sun:data/SUNRGBD?sensor=kv2'.
    :param split: of an RGB-D folder's meta.json or of the kind; bags have none.
    :param read_depth: False yields unlabelled frames.
    :param intrinsics: used instead of those of the data set.
    :param bag_options: those of :class:`BagFrames`; None means its default. Folders need none.
    :raises DatasetError: when the path is neither, or cannot be read.
    """
    parsed = parse_spec(spec)
    path = parsed.path
    options = {key: value for key, value in bag_options.items() if value is not None}
    if not path.exists():
        raise DatasetError(f'{path}: no such file or folder')
    if parsed.kind:
        options.pop('slop_ns', None)
        if options or intrinsics is not None:
            names = ', '.join([*options, *(['intrinsics'] if intrinsics is not None else [])])
            raise DatasetError(f'{spec}: {names} are for folders and bags; {parsed.kind} knows '
                               'its cameras')
        return open_spec(parsed, split, read_depth)
    if (path / 'meta.json').is_file():
        # Folders pair by name, so that a slop, which has a default, does not matter to them.
        options.pop('slop_ns', None)
        if options:
            raise DatasetError(f'{path} is an RGB-D folder: {", ".join(options)} are for bags')
        return RgbdFolder(path, split, read_depth, intrinsics=intrinsics)
    if is_bag(path):
        if split is not None:
            raise DatasetError(
                f"{path}: a bag has no split '{split}'; convert the folder it was made from with "
                f'mde convert FOLDER BAG --split {split}, or leave the split out')
        return BagFrames(path, read_depth=read_depth, intrinsics=intrinsics, **options)
    what = 'this folder has neither' if path.is_dir() else 'this file is neither'
    raise DatasetError(f'{path}: no data set; expected an RGB-D folder with meta.json, a rosbag2 '
                       f'folder, or a file {", ".join(BAG_SUFFIXES)}; {what}; for other data '
                       f'sets write KIND:PATH with one of {", ".join(KINDS)}')
