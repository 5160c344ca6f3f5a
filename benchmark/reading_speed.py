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

"""
Measure listing and reading of data sets whose files are cached, decoding excluded.

python benchmark/reading_speed.py --json results/reading_speed.json

The data sets are trees of hard links to one picture and one depth file in the official
layouts. Decoding of PNG and JPEG is replaced by a constant; what is left is what the readers do:
finding, opening and reading the files, intrinsics, metres.

Memory is measured in a process of its own: what no file stands behind (RssAnon), beyond that of
the same process with a data set of 20 frames. The peak of opening is Python's own count.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import gc
import json
from pathlib import Path
import platform
import subprocess
import sys
import tempfile
import time
import tracemalloc
from typing import Any
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray
from official_layouts import MAKERS

from mde_ros.datasets import image_files
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.registry import open_spec, parse_spec

REQUIRED = 500  # frames a second and core
# Projecting 120,000 points is the decoding of laser data: reported, not held to the bound.
NOT_REQUIRED = 'kitti_velodyne'
# Reading writes its cache: its memory is that of kitti_velodyne.
NO_MEMORY = 'kitti_laser_cache'
WARM = 20  # frames of the data set that the memory of larger ones is compared with


@contextmanager
def nothing_decoded(shape: tuple[int, int]) -> Iterator[None]:
    """Replace decoding by pictures that are there already; bytes are read all the same."""
    rgb = np.zeros((*shape, 3), np.uint8)
    depth: NDArray[np.uint16] = np.full(shape, 2000, np.uint16)

    def decode(encoded: bytes, flags: int) -> NDArray[Any]:
        assert encoded
        return depth if flags == cv2.IMREAD_UNCHANGED else rgb

    with mock.patch.object(image_files, 'decode', decode):
        yield


def opened(spec: str) -> IndexedDataset:
    """Open a data set."""
    return open_spec(parse_spec(spec))


def measure(spec: str, shape: tuple[int, int], reads: int) -> dict[str, Any]:
    """Return frames a second of a data set."""
    opened(spec)  # brings the folders into the cache
    began = time.process_time()
    data = opened(spec)
    listing = time.process_time() - began
    order = np.random.default_rng(0).integers(0, len(data), reads)
    with nothing_decoded(shape):
        for index in order:  # fills the cache of data sets that have one
            data[int(index)]
        began = time.process_time()
        for index in order:
            data[int(index)]
        reading = time.process_time() - began
    return {'frames': len(data), 'listed_per_second': round(len(data) / listing),
            'read_per_second': round(reads / reading)}


def anonymous() -> int:
    """Return the bytes of this process that no file stands behind."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith('RssAnon'):
            return int(line.split()[1]) * 1024
    raise RuntimeError('/proc/self/status has no RssAnon: this kernel does not tell')


def memory(spec: str, warm: str, shape: tuple[int, int], reads: int) -> dict[str, Any]:
    """Return bytes of memory of this process, which must be a new one."""
    with nothing_decoded(shape):
        list(opened(warm))  # all that does not depend on the size
        gc.collect()
        before = anonymous()
        data = opened(spec)
        gc.collect()
        held = anonymous() - before
        highest = 0
        for number, index in enumerate(np.random.default_rng(1).integers(0, len(data), reads)):
            data[int(index)]
            if number % 10 == 0:
                highest = max(highest, anonymous() - before)
    found = {'frames': len(data), 'opened_kib': round(held / 1024),
             'reading_kib': round(highest / 1024)}
    del data
    gc.collect()
    tracemalloc.start()
    opened(spec)
    found['opening_peak_kib'] = round(tracemalloc.get_traced_memory()[1] / 1024)
    tracemalloc.stop()
    return found


def memory_apart(spec: str, warm: str, shape: tuple[int, int], reads: int) -> dict[str, Any]:
    """Return the same of a new process."""
    text = subprocess.run(
        [sys.executable, __file__, '--memory-of', spec, warm, *map(str, shape), str(reads)],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(text)
    return found


def growth(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return by kind the bytes that a frame more costs, between the two largest sets."""
    found: dict[str, dict[str, float]] = {}
    for kind in dict.fromkeys(row['kind'] for row in rows):
        mine = sorted((row for row in rows if row['kind'] == kind), key=lambda row: row['frames'])
        more = mine[-1]['frames'] - mine[-2]['frames'] if len(mine) > 1 else 0
        if more:
            found[kind] = {key.replace('_kib', '_bytes_per_frame'): round(
                (mine[-1][key] - mine[-2][key]) * 1024 / more, 2)
                for key in ('opened_kib', 'reading_kib', 'opening_peak_kib')}
    return found


def run(kinds: Sequence[str], sizes: Sequence[int], memory_sizes: Sequence[int], reads: int,
        folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return one row a kind and size, of speed and of memory."""
    rows, memories = [], []
    for kind in kinds:
        shape = (480, 640) if kind == 'tum' else (375, 1242)
        rgb, depth = folder / 'rgb.jpg', folder / 'depth.png'
        rng = np.random.default_rng(0)
        # Files of about the size of real ones: noise compresses as badly as textures.
        cv2.imwrite(str(rgb), cv2.GaussianBlur(
            rng.integers(0, 256, (*shape, 3), dtype=np.uint8), (0, 0), 1))
        cv2.imwrite(str(depth), (1000 + np.indices(shape)[0] * 20 + rng.integers(
            0, 8, shape)).astype(np.uint16))
        remembered = () if kind == NO_MEMORY else memory_sizes
        for size in sorted({*sizes, *remembered}):
            with tempfile.TemporaryDirectory(dir=folder) as place, \
                    tempfile.TemporaryDirectory(dir=folder) as small:
                spec = MAKERS[kind](Path(place), size, rgb, depth)
                if size in sizes:
                    rows.append({'kind': kind, 'picture': f'{shape[1]}x{shape[0]}',
                                 **measure(spec, shape, reads)})
                    print(json.dumps(rows[-1]), file=sys.stderr)
                if size in remembered:
                    warm = MAKERS[kind](Path(small), WARM, rgb, depth)
                    memories.append({'kind': kind, **memory_apart(
                        spec, warm, shape, min(reads, 200))})
                    print(json.dumps(memories[-1]), file=sys.stderr)
    return rows, memories


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print JSON, write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kinds', nargs='+', choices=list(MAKERS), default=list(MAKERS))
    parser.add_argument('--sizes', type=int, nargs='+', default=[1000, 10000],
                        help='frames of the data sets whose speed is measured')
    parser.add_argument('--memory-sizes', type=int, nargs='*', default=[1000, 10000, 100000],
                        help='frames of the data sets whose memory is measured; virtual KITTI has '
                             '21260 at most')
    parser.add_argument('--memory-of', nargs=5, metavar=('SPEC', 'SMALL', 'H', 'W', 'READS'),
                        help='measure the memory of one data set in this process')
    parser.add_argument('--reads', type=int, default=1000, help='frames read of each')
    parser.add_argument('--folder', type=Path, default=Path(tempfile.gettempdir()),
                        help='where the trees are made')
    parser.add_argument('--json', type=Path)
    arguments = parser.parse_args(words)
    cv2.setNumThreads(1)
    if arguments.memory_of:
        spec, warm, height, width, reads = arguments.memory_of
        print(json.dumps(memory(spec, warm, (int(height), int(width)), int(reads))))
        return 0
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        rows, memories = run(arguments.kinds, arguments.sizes, arguments.memory_sizes,
                             arguments.reads, Path(place))
    result = {
        'command': 'python benchmark/reading_speed.py ' + ' '.join(
            sys.argv[1:] if words is None else words),
        'note': 'CPU seconds of one thread, files cached, PNG and JPEG not decoded',
        'machine': platform.processor() or platform.machine(), 'python': platform.python_version(),
        'required_per_second': REQUIRED,
        'met': all(row['read_per_second'] >= REQUIRED for row in rows
                   if row['kind'] != NOT_REQUIRED),
        'not_required': f'{NOT_REQUIRED}: 120,000 laser points a frame are projected',
        'rows': rows,
        'memory_note': 'KiB beyond those of the same process with 20 frames; anonymous memory, '
                       'opening_peak_kib by tracemalloc',
        'memory_growth': growth(memories), 'memory': memories}
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + '\n')
    return 0 if result['met'] else 1


if __name__ == '__main__':
    sys.exit(main())
