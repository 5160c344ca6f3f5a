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

"""What the trainer is asked for: the arguments of ``mde adapt``, and what decides its result."""

from dataclasses import dataclass
from typing import Any

from mde_ros.datasets.rgbd_folder_files import list_images
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_process import PROGRESS
from mde_ros.nodes.adaptation_state import Site
from mde_ros.onsite.recording_files import ODOMETRY, RANGES


@dataclass(frozen=True)
class Request:
    """
    One adaptation.

    :param arguments: options of ``mde adapt``.
    :param identity: what decides the result: an interrupted run is gone on with only when a new
        request has the same. Threads and priority do not belong to it.
    :param threads: CPU threads.
    """

    arguments: list[str]
    identity: dict[str, Any]
    threads: int


def describe(settings: Settings, site: Site, active: str) -> Request:
    """
    Return the request that the parameters and the recording of a site make.

    :param active: name of the active profile, '' for the plain network.
    :raises mde_ros.datasets.frame.DatasetError: when there is no recording.
    """
    sources = [name for name in settings.source if name.strip()]
    deciding = [
        '--weights', settings.weights, '--target', str(site.recording),
        *(['--source', *sources] if sources else []),
        '--seed', str(settings.seed), '--name', settings.camera,
        *(['--profile', str(site.profile(active))] if active and settings.from_active else []),
        *(['--replay', settings.replay] if settings.replay else []),
        *(['--method', settings.method] if settings.method else []),
        *(['--steps', str(settings.steps)] if settings.steps else []),
        *(['--weather', repr(settings.weather)] if settings.weather else []),
        *_mount(settings), *_anchor(settings, site)]
    names = sorted(list_images(site.recording / 'rgb'))
    return Request(
        [*deciding, '--out', str(site.run), '--threads', str(settings.threads),
         '--priority', settings.priority, '--progress-file', str(site.run / PROGRESS)],
        {'arguments': deciding, 'frames': len(names), 'last': names[-1] if names else ''},
        settings.threads)


def _mount(settings: Settings) -> list[str]:
    """Return the options on how the camera is mounted."""
    words = ['--mount', settings.mount]
    if settings.camera_pitch > -90:
        words += ['--camera-pitch', repr(settings.camera_pitch),
                  '--camera-roll', repr(settings.camera_roll)]
    return words


def _anchor(settings: Settings, site: Site) -> list[str]:
    """Return the options of the one thing that the scale is measured by, if there is any."""
    if settings.camera_height:
        return ['--camera-height', repr(settings.camera_height)]
    if settings.tape_distance:
        return ['--tape', repr(settings.tape_distance)]
    for option, name in (('--ranges', RANGES), ('--odometry', ODOMETRY)):
        if (site.recording / name).exists():
            return [option, str(site.recording / name)]
    return []
