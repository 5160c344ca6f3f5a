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

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_files import list_images, META, read_meta
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.simulation.room import SimulationError

PERIOD_NS = 100_000_000
START_NS = 1_000_000_000
TRIES_PER_VIEW = 12


@dataclass(frozen=True)
class Settings:
    """
    What decides every pixel of a simulated data set.

    :param views: pictures of one room.
    :param room: room type, None draws one for each room.
    :param focal: focal length in pixels, None draws one for each view.
    """

    seed: int
    width: int = 320
    height: int = 240
    views: int = 12
    room: str | None = None
    camera: str = 'neutral'
    weather: str = 'clear'
    focal: float | None = None

    def base_camera(self) -> Intrinsics:
        """Return the camera that the folder's meta.json names."""
        focal = self.focal or .9 * self.width
        return Intrinsics(self.width, self.height, focal, focal,
                          (self.width - 1) / 2, (self.height - 1) / 2)


def scene_seed(seed: int, scene: int, attempt: int = 0) -> int:
    """Return the seed of one room, so that any room can be made again alone."""
    return int(np.random.SeedSequence((seed, scene, attempt)).generate_state(1, np.uint64)[0])


def frame_name(scene: int, view: int) -> str:
    """Return the name of one picture."""
    return f'{scene:06d}_{view:02d}'


def render_scene(renderer: Any, settings: Settings, scene: int) -> tuple[list[Frame], dict[str, Any]]:
    """
    Return the pictures of one room, exactly ``settings.views`` of them, and its entry of the index.

    :param renderer: an open :class:`Renderer` of at least the settings' size.
    """
    from mde_ros.simulation.camera_poses import draw_camera, draw_poses, worth_keeping
    from mde_ros.simulation.exposure import expose
    from mde_ros.simulation.room import build_room

    for attempt in range(5):
        seed = scene_seed(settings.seed, scene, attempt)
        room = build_room(seed, settings.room)
        renderer.open(room)
        rng = np.random.default_rng(seed + 1)
        frames: list[Frame] = []
        tries = 0
        for kind, pose in draw_poses(rng, room.plan):
            camera = draw_camera(rng, settings.width, settings.height, settings.focal)
            image, depth = renderer.view(pose, camera)
            tries += 1
            image = expose(image, depth, rng)
            if worth_keeping(image, depth):
                index = scene * settings.views + len(frames)
                frames.append(Frame(frame_name(scene, len(frames)), START_NS + PERIOD_NS * index,
                                    image, camera, depth))
            if len(frames) == settings.views:
                return frames, {'scene': scene, 'seed': seed, 'room': room.kind}
            if tries == TRIES_PER_VIEW * settings.views:
                break
    raise SimulationError(f'scene {scene} of seed {settings.seed} shows nothing worth keeping; '
                          'use another --seed')


_worker: dict[str, Any] = {}


def _start_worker(path: str, settings: Settings, meta: dict[str, Any]) -> None:
    os.environ.setdefault('LP_NUM_THREADS', '1')
    from mde_ros.simulation.renderer import Renderer
    import cv2
    cv2.setNumThreads(1)
    _worker['settings'] = settings
    _worker['renderer'] = Renderer(settings.width, settings.height)
    _worker['writer'] = open_writer(path, settings, meta)


def _work(scene: int, wanted: int) -> dict[str, Any]:
    frames, entry = render_scene(_worker['renderer'], _worker['settings'], scene)
    for frame in frames[:wanted]:
        if frame.name not in _worker['writer']:
            _worker['writer'].write(frame)
    return entry


def open_writer(path: str | Path, settings: Settings, meta: dict[str, Any]) -> RgbdFolderWriter:
    """Return the writer of a simulated folder."""
    return RgbdFolderWriter(
        path, settings.base_camera(), camera=f'simulated {settings.camera}',
        licence='Apache-2.0 (rendered by mde_ros)', source='mde simulate', **meta)


def check_folder(path: Path, settings: Settings) -> None:
    """
    Refuse a folder that belongs to other settings.

    :raises SimulationError: naming the setting that differs.
    """
    if not (path / META).exists():
        return
    there = read_meta(path).get('simulation')
    if there is None:
        raise SimulationError(f'{path} holds other data: give another --out')
    for key, value in asdict(settings).items():
        if there.get(key) != value:
            raise SimulationError(f'{path} was made with --{key} {there.get(key)}, not {value}: '
                                  'give another --out or the same options')


def generate(path: Path, frames: int, settings: Settings, workers: int = 2,
             report: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """
    Render ``frames`` pictures into an RGB-D folder; scenes that are there already are skipped.

    :param report: called with (frames done, frames in all) after every room.
    :returns: counts: frames rendered and skipped, scenes, room types.
    """
    check_folder(path, settings)
    meta = {'simulation': asdict(settings)}
    writer = open_writer(path, settings, meta)
    names = set(list_images(path / 'rgb'))
    scenes = [(k, min(settings.views, frames - k * settings.views))
              for k in range(-(-frames // settings.views))]
    todo = [(k, n) for k, n in scenes if not all(frame_name(k, v) in names for v in range(n))]
    index = path / '.scenes.jsonl'
    done = skipped = frames - sum(n for _, n in todo)
    if todo:
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(min(workers, len(todo)), context, _start_worker,
                                 (str(path), settings, meta)) as pool:
            queue, running = iter(todo), {}
            try:
                while True:
                    # A short queue: an interrupt has little to wait for.
                    for k, n in queue:
                        running[pool.submit(_work, k, n)] = n
                        if len(running) >= 2 * workers:
                            break
                    if not running:
                        break
                    finished: set[Future[dict[str, Any]]] = wait(
                        running, return_when=FIRST_COMPLETED).done
                    for future in finished:
                        entry = future.result()
                        with index.open('a') as lines:
                            lines.write(json.dumps(entry) + '\n')
                        done += running.pop(future)
                        if report:
                            report(done, frames)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
    entries = {}
    if index.exists():
        for line in index.read_text().splitlines():
            entry = json.loads(line)
            entries[entry['scene']] = entry
    writer.update_meta(scenes=[entries[k] for k in sorted(entries)])
    writer.close()
    kinds: dict[str, int] = {}
    for entry in entries.values():
        kinds[entry['room']] = kinds.get(entry['room'], 0) + 1
    return {'frames': frames, 'rendered': done - skipped, 'skipped': skipped,
            'scenes': len(scenes), 'rooms': kinds}
