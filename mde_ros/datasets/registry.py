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

"""Data sets by a spec string: KIND:PATH?key=value&key=value."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
import re
from typing import Any

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indexed import IndexedDataset

# kind: 'module:class' within mde_ros.datasets, imported when it is asked for.
KINDS: Mapping[str, str] = {
    'nyu': 'indoor.nyu:Nyu',
    'nyu_raw': 'indoor.nyu_raw:NyuRaw',
    'sun': 'indoor.sun:SunRgbd',
    'tum': 'indoor.tum:TumRgbd',
    'scannet': 'indoor.scannet:ScanNet',
    '7scenes': 'indoor.seven_scenes:SevenScenes',
    'diode': 'indoor.diode:Diode',
    'hypersim': 'indoor.hypersim:Hypersim',
    'kitti': 'roads.kitti:Kitti',
    'vkitti1': 'roads.virtual_kitti:VirtualKitti1',
    'vkitti2': 'roads.virtual_kitti:VirtualKitti2',
    'drivingstereo': 'roads.drivingstereo:DrivingStereo',
    'foggy_cityscapes': 'roads.foggy_cityscapes:FoggyCityscapes',
}
# The key of a spec that every kind has.
SPLIT = 'split'


@dataclass(frozen=True)
class Spec:
    """
    A data set to open.

    :param kind: a key of KINDS, or '' for an RGB-D folder or bag, found by looking.
    :param options: what stands behind the '?', without split.
    """

    kind: str
    path: Path
    split: str | None
    options: Mapping[str, str]

    def __str__(self) -> str:
        """Return the spec string that parses to this."""
        keys = {SPLIT: self.split, **self.options} if self.split else self.options
        query = '&'.join(f'{key}={value}' for key, value in keys.items())
        return (f'{self.kind}:' if self.kind else '') + str(self.path) + (
            f'?{query}' if query else '')


def parse_spec(text: str | Path) -> Spec:
    """
    Split a spec string; anything that exists as it stands is a plain path.

    :raises DatasetError: for an unknown kind or a key without a value.
    """
    if isinstance(text, Path) or Path(text).exists():
        return Spec('', Path(text), None, {})
    kind, colon, rest = text.partition(':')
    # A colon further on belongs to a path, such as FOLDER:SPLIT or data/a:b.
    if not colon or '/' in kind or not rest:
        return Spec('', Path(text), None, {})
    if kind not in KINDS:
        # FOLDER:SPLIT of a folder in the working directory that is not there is no kind either.
        if '/' in rest or '?' in rest:
            raise DatasetError(
                f"{text}: unknown kind of data set '{kind}'; there are: {', '.join(KINDS)}; "
                'a plain path needs none')
        return Spec('', Path(text), None, {})
    path, mark, query = rest, '', ''
    if not Path(rest).exists():
        path, mark, query = rest.partition('?')
    options: dict[str, str] = {}
    for pair in re.split('&', query) if mark else ():
        key, equals, value = pair.partition('=')
        if not (key and equals and value):
            raise DatasetError(f"{text}: '{pair}': expected {kind}:PATH?key=value&key=value")
        if key in options:
            raise DatasetError(f"{text}: '{key}' is given twice")
        options[key] = value
    return Spec(kind, Path(path).expanduser(), options.pop(SPLIT, None), options)


def reader_of(kind: str) -> type[IndexedDataset]:
    """Return the class that reads a kind of data set."""
    module, name = KINDS[kind].split(':')
    reader = getattr(import_module(f'mde_ros.datasets.{module}'), name)
    assert issubclass(reader, IndexedDataset)
    return reader


def open_spec(spec: Spec, split: str | None = None, read_depth: bool = True,
              **more: Any) -> IndexedDataset:
    """
    Open a data set of a known kind.

    :param split: used when the spec names none.
    :param more: other keyword arguments of the reader.
    :raises DatasetError: for unknown keys and values, naming those there are, or when the data
        set cannot be read.
    """
    reader = reader_of(spec.kind)
    if spec.split and split and spec.split != split:
        raise DatasetError(f"{spec}: the split is '{spec.split}' here and '{split}' in the "
                           'option: give one')
    for key, value in spec.options.items():
        if key not in reader.options:
            there = ', '.join((SPLIT, *reader.options))
            raise DatasetError(f"{spec}: unknown key '{key}'; {spec.kind} has: {there}")
        allowed = reader.options[key]
        if allowed and value not in allowed:
            raise DatasetError(
                f"{spec}: {key} = '{value}'; expected one of: {', '.join(allowed)}")
    return reader(spec.path, split=spec.split or split, read_depth=read_depth, **spec.options,
                  **more)
