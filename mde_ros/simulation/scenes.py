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

"""One room to its pictures: settings, seeds, views, weather and the look of the camera."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from mde_ros.camera.appearance import camera_named
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.weathers import weather_named
from mde_ros.datasets.frame import Frame
from mde_ros.simulation.camera_poses import draw_camera, draw_poses, worth_keeping
from mde_ros.simulation.drive import plan_drive
from mde_ros.simulation.errors import SimulationError
from mde_ros.simulation.exposure import expose
from mde_ros.simulation.pose import Pose
from mde_ros.simulation.recipes import RECIPES
from mde_ros.simulation.room import build_room, Room

START_NS = 1_000_000_000
TRIES_PER_VIEW = 12
ATTEMPTS = 20  # rooms that are tried before a scene is given up
TRAJECTORIES = ('random', 'drive')


@dataclass(frozen=True)
class Settings:
    """
    What decides every pixel of a simulated data set.

    :param views: pictures of one room.
    :param room: room type, None draws one for each room.
    :param camera: name of a camera appearance; geometry does not depend on it.
    :param weather: name of a weather; geometry does not depend on it.
    :param focal: focal length in pixels, None draws one for each view (or each drive).
    :param trajectory: 'random' views, or a robot's 'drive'.
    :param rate: frames a second of the stamps.
    :raises SimulationError: naming the option that is wrong.
    """

    seed: int
    width: int = 320
    height: int = 240
    views: int = 12
    room: str | None = None
    camera: str = 'neutral'
    weather: str = 'clear'
    focal: float | None = None
    trajectory: str = 'random'
    rate: float = 10.

    def __post_init__(self) -> None:
        """Check every option before anything is rendered."""
        camera_named(self.camera)
        weather_named(self.weather)
        if not (16 <= self.width <= 4096 and 16 <= self.height <= 4096):
            raise SimulationError(f'--size {self.width}x{self.height}: each side must be 16 to '
                                  '4096 pixels')
        if self.views < 1:
            raise SimulationError(f'--views-per-room {self.views}: must be at least 1')
        if self.seed < 0:
            raise SimulationError(f'--seed {self.seed}: must not be negative')
        if self.focal is not None and not .2 <= self.focal / self.width <= 5:
            raise SimulationError(f'--focal {self.focal}: must be 0.2 to 5 times the width of '
                                  f'{self.width} pixels')
        if not .1 <= self.rate <= 1000:
            raise SimulationError(f'--rate {self.rate}: must be 0.1 to 1000 Hz')
        if self.trajectory not in TRAJECTORIES:
            raise SimulationError(
                f"--trajectory {self.trajectory}: use {' or '.join(TRAJECTORIES)}")
        if self.room is not None and self.room not in RECIPES:
            raise SimulationError(f"--room {self.room}: use one of {', '.join(RECIPES)}")

    def base_camera(self) -> Intrinsics:
        """Return the camera that the folder's meta.json names."""
        focal = self.focal or .9 * self.width
        return Intrinsics(self.width, self.height, focal, focal,
                          (self.width - 1) / 2, (self.height - 1) / 2)

    def differing(self, other: dict[str, Any]) -> list[str]:
        """Return the options that differ from a saved :func:`dataclasses.asdict`."""
        defaults = {field.name: field.default for field in fields(self)}
        return [key for key, value in asdict(self).items()
                if other.get(key, defaults[key]) != value]


def scene_seed(seed: int, scene: int, attempt: int = 0) -> int:
    """Return the seed of one room, so that any room can be made again alone."""
    return int(np.random.SeedSequence((seed, scene, attempt)).generate_state(1, np.uint64)[0])


def frame_name(settings: Settings, scene: int, view: int) -> str:
    """Return the name of one picture; names sort in the order of time."""
    return f'{scene:06d}_{view:0{2 if settings.views <= 100 else 5}d}'


def _random_views(room: Room, settings: Settings,
                  rng: np.random.Generator) -> Iterator[tuple[Pose, Intrinsics]]:
    for _, pose in draw_poses(rng, room.plan):
        yield pose, draw_camera(rng, settings.width, settings.height, settings.focal)


def _drive_views(room: Room, settings: Settings,
                 rng: np.random.Generator) -> Iterator[tuple[Pose, Intrinsics]]:
    camera = settings.base_camera()
    for pose in plan_drive(rng, room.plan, settings.views, settings.rate) or ():
        yield pose, camera


def render_scene(renderer: Any, settings: Settings, scene: int,
                 wanted: int | None = None) -> tuple[list[Frame], dict[str, Any]]:
    """
    Return the pictures of one room and its entry of the index.

    :param renderer: an open :class:`Renderer` of at least the settings' size.
    :param wanted: only so many of the ``settings.views`` pictures.
    :raises SimulationError: when no room of this scene can be used.
    """
    drive = settings.trajectory == 'drive'
    count = settings.views if wanted is None else min(wanted, settings.views)
    for attempt in range(ATTEMPTS):
        seed = scene_seed(settings.seed, scene, attempt)
        room = build_room(seed, settings.room)
        rng = np.random.default_rng(seed + 1)
        views = (_drive_views if drive else _random_views)(room, settings, rng)
        renderer.open(room)
        frames: list[Frame] = []
        for tries, (pose, camera) in enumerate(views):
            if tries == TRIES_PER_VIEW * settings.views and not drive:
                break
            image, depth = renderer.view(pose, camera)
            # On a drive the exposure follows the light only, without jumps.
            image = expose(image, depth, np.random.default_rng(seed + 2) if drive else rng)
            if drive or worth_keeping(image, depth):
                number = len(frames)
                # Their own generator: another camera or weather leaves the geometry alone.
                style = np.random.default_rng((seed, number))
                image = weather_named(settings.weather).apply(image, depth, camera, style)
                image = camera_named(settings.camera).apply(image, style)
                stamp = START_NS + round((scene * settings.views + number) * 1e9 / settings.rate)
                frames.append(Frame(frame_name(settings, scene, number), stamp, image, camera,
                                    depth))
            if len(frames) == count:
                return frames, {'scene': scene, 'seed': seed, 'room': room.kind}
    raise SimulationError(f'scene {scene} of --seed {settings.seed}: {ATTEMPTS} rooms show '
                          'nothing worth keeping; use another seed or --room')
