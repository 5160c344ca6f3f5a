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

"""Rendering many rooms into an RGB-D folder with several processes, resumable."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
import fcntl
import json
import multiprocessing
import os
from pathlib import Path
import threading
from typing import Any

import cv2

from mde_ros.datasets.rgbd_folder_files import list_images, META, read_meta
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.renderer import Renderer
from mde_ros.simulation.scenes import frame_name, render_scene, Settings

INDEX = '.scenes.jsonl'  # one line a room, folded into meta.json at the end

_worker: dict[str, Any] = {}


def _start_worker(path: str, settings: Settings, image_format: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # One process a core is faster than one renderer with many threads.
    os.environ.setdefault('LP_NUM_THREADS', '1')
    cv2.setNumThreads(1)
    _worker['settings'], _worker['path'] = settings, Path(path)
    try:
        _worker['renderer'] = Renderer(settings.width, settings.height)
        _worker['writer'] = open_writer(path, settings, image_format)
    except Exception as error:  # noqa: BLE001, an initializer's own error would be lost
        _worker['error'] = error


def _end_with_parent() -> None:
    """End this process when its parent is killed: nobody else would tell it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(scene: int, wanted: int) -> dict[str, Any]:
    """Render one room into the folder; return its entry of the index."""
    if 'error' in _worker:
        raise _worker['error']
    frames, entry = render_scene(_worker['renderer'], _worker['settings'], scene, wanted)
    # The index first: whoever finds all pictures of a room finds its entry too.
    with (_worker['path'] / INDEX).open('a') as lines:
        fcntl.flock(lines, fcntl.LOCK_EX)
        lines.write(json.dumps(entry) + '\n')
    for frame in frames:
        if frame.name not in _worker['writer']:
            _worker['writer'].write(frame)
    return entry


def open_writer(path: str | Path, settings: Settings, image_format: str) -> RgbdFolderWriter:
    """Return the writer of a simulated folder."""
    return RgbdFolderWriter(
        path, settings.base_camera(), camera=f'simulated {settings.camera}',
        licence='Apache-2.0', source='rendered by mde simulate', image_format=image_format,
        simulation=asdict(settings))


def check_folder(path: Path, settings: Settings) -> None:
    """
    Refuse a folder that belongs to other settings.

    :raises SimulationError: naming the option that differs.
    """
    if not (path / META).exists():
        return
    there = read_meta(path).get('simulation')
    if there is None:
        raise SimulationError(f'{path} holds other data: give another --out')
    for key in settings.differing(there):
        option = {'views': 'views-per-room', 'width': 'size', 'height': 'size'}.get(key, key)
        raise SimulationError(f'{path} was made with another --{option} ({key} {there.get(key)}, '
                              f'not {getattr(settings, key)}): give another --out or the same '
                              'options')


def _read_index(path: Path) -> dict[int, dict[str, Any]]:
    entries = {}
    if (path / INDEX).exists():
        for line in (path / INDEX).read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # cut short by a kill; that room is rendered again
                continue
            entries[int(entry['scene'])] = entry
    return entries


def generate(path: Path, frames: int, settings: Settings, workers: int = 2,
             report: Callable[[int, int], None] | None = None,
             image_format: str = 'jpg') -> dict[str, Any]:
    """
    Render ``frames`` pictures into an RGB-D folder; rooms that are there already are skipped.

    :param report: called with (frames done, frames in all) after every room.
    :param image_format: 'jpg' or 'png'.
    :returns: counts: frames, rendered, skipped, scenes; room types.
    :raises SimulationError: for a folder of other settings, or without OpenGL.
    """
    check_folder(path, settings)
    Renderer(16, 16).close()  # without OpenGL, say so before anything is written
    writer = open_writer(path, settings, image_format)
    names = set(list_images(path / 'rgb'))
    scenes = [(k, min(settings.views, frames - k * settings.views))
              for k in range(-(-frames // settings.views))]
    todo = [(k, n) for k, n in scenes
            if not all(frame_name(settings, k, v) in names for v in range(n))]
    skipped = done = frames - sum(n for _, n in todo)
    if todo:
        with ProcessPoolExecutor(
                min(workers, len(todo)), multiprocessing.get_context('spawn'), _start_worker,
                (str(path), settings, image_format)) as pool:
            try:
                for count in _run(pool, todo, 2 * workers):
                    done += count
                    if report:
                        report(done, frames)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    entries = _read_index(path)
    writer.update_meta(scenes=[entries[k] for k in sorted(entries)])
    writer.close()
    kinds: dict[str, int] = {}
    for scene, _ in scenes:
        kind = entries.get(scene, {}).get('room', 'unknown')
        kinds[kind] = kinds.get(kind, 0) + 1
    return {'frames': frames, 'rendered': done - skipped, 'skipped': skipped,
            'scenes': len(scenes), 'rooms': kinds}


def _run(pool: ProcessPoolExecutor, todo: list[tuple[int, int]],
         ahead: int) -> Iterator[int]:
    """Yield the number of pictures of every finished room; few wait, so that a stop is quick."""
    queue = iter(todo)
    running: dict[Future[dict[str, Any]], int] = {}
    while True:
        while len(running) < ahead and (item := next(queue, None)):
            running[pool.submit(_work, *item)] = item[1]
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            future.result()
            yield running.pop(future)
