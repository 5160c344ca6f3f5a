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

"""Every parameter of the adaptation node, once: default, range, when it applies, what it does."""

from dataclasses import dataclass
from typing import Any

from mde_ros.nodes import parameters as depth_parameters
from mde_ros.nodes.parameter_table import AT_ONCE, AT_START, parameter, ParameterTable
from mde_ros.onsite.recording_settings import RecordingSettings, TABLE as RECORDING

AT_RECORDING, AT_ADAPT = 'at ~/start_recording', 'at ~/adapt'


def _of_recording(name: str) -> Any:
    """Return the parameter of a setting of the recorder, with the recorder's own range."""
    entry = RECORDING[name]
    about = entry.metadata
    low, high = ((float(v) if isinstance(entry.default, float) else v)
                 for v in (about['low'], about['high']))
    return parameter(entry.default, AT_RECORDING, f"{about['unit']} {about['text']}",
                     low=low, high=high)


@dataclass(frozen=True)
class Settings:
    """The values of all parameters at one moment."""

    site: str = parameter(
        '~/mde_site', AT_START, 'folder of this place and camera: recording, adaptation and '
        'profiles; point the parameter profile of the depth node at it')
    camera: str = parameter(
        'camera', AT_RECORDING, 'name of the camera, for the recording and the profile')
    depth_node: str = parameter(
        'depth_node', AT_ONCE, 'name of the depth node whose network is exchanged; relative to '
        'the namespace of this node, unless it begins with /')
    auto_swap: bool = parameter(
        True, AT_ONCE, 'put an accepted profile into use by itself; false waits for ~/swap')
    reload_timeout: float = parameter(
        30.0, AT_ONCE, 'seconds that the depth node may take to load a profile before it is '
        'rolled back', low=0.5, high=600.0)
    resume: bool = parameter(
        True, AT_ONCE, 'go on with an adaptation that was interrupted or cancelled, from its '
        'last checkpoint; false begins anew')
    image_transport: str = parameter(
        'raw', AT_START, "subscribe to 'image' or to 'image/compressed'",
        choices=('raw', 'compressed'))
    image_reliability: str = parameter(
        'auto', AT_ONCE, 'reliability of the image subscription; auto follows the publishers',
        choices=('auto', 'reliable', 'best_effort'))
    image_rectified: str = parameter(
        'auto', AT_ONCE, 'whether images are rectified already (then P of camera_info counts, '
        "else K and D); auto: if the topic's last name contains 'rect'",
        choices=('auto', 'true', 'false'))
    camera_info_file: str = parameter(
        '', AT_START, 'calibration (YAML) for a camera without camera_info')
    odometry_topic: str = parameter(
        '', AT_START, "nav_msgs/Odometry to record with the frames, for the scale; '' for none")
    reference_topic: str = parameter(
        '', AT_START, 'depth images (16UC1 or 32FC1, registered to the camera) to record for '
        "scoring; never used to adapt; '' for none")
    range_topic: str = parameter(
        '', AT_START, 'sensor_msgs/Range to record with the frames, for the scale; never used to '
        "adapt; '' for none")
    append: bool = parameter(
        True, AT_RECORDING, 'go on with an earlier recording; false puts it aside and begins '
        'anew')
    min_interval: float = _of_recording('min_interval')
    min_motion: float = _of_recording('min_motion')
    min_sharpness: float = _of_recording('min_sharpness')
    min_brightness: float = _of_recording('min_brightness')
    max_brightness: float = _of_recording('max_brightness')
    min_novelty: float = _of_recording('min_novelty')
    max_frames: int = _of_recording('max_frames')
    max_megabytes: float = _of_recording('max_megabytes')
    max_seconds: float = _of_recording('max_seconds')
    min_free_megabytes: float = _of_recording('min_free_megabytes')
    jpeg_quality: int = _of_recording('jpeg_quality')
    weights: str = parameter(
        'shipped', AT_ADAPT, "weights to adapt, the same as the depth node's: a file, or "
        "'shipped'")
    from_active: bool = parameter(
        True, AT_ADAPT, 'begin with the active profile, so that the result has to be better than '
        'what is in use; false begins with the plain weights')
    source: tuple[str, ...] = parameter(
        ('',), AT_ADAPT, 'labelled data that are rehearsed, as mde train --source takes them; '
        'an empty name means rooms that are rendered on the spot')
    replay: str = parameter(
        '', AT_ADAPT, 'folder of those rooms, rendered there when it is empty; an empty name '
        "means the user's cache")
    method: str = parameter(
        '', AT_ADAPT, "adaptation method, as mde adapt --method takes it; '' takes its default")
    steps: int = parameter(
        0, AT_ADAPT, 'steps of the adaptation: more takes longer; 0 takes the default of mde '
        'adapt', low=0, high=1_000_000)
    weather: float = parameter(
        0.0, AT_ADAPT, 'share of the labelled images that are rehearsed through random haze, fog '
        'or smoke, for places that have it; 0.5 where it does', low=0.0, high=1.0)
    seed: int = parameter(
        0, AT_ADAPT, 'of everything random; the same seed gives the same profile',
        low=0, high=2_147_483_647)
    threads: int = parameter(
        1, AT_ADAPT, 'CPU threads of the adaptation', low=1, high=256)
    priority: str = parameter(
        'idle', AT_ADAPT, 'of the adaptation on the CPU: idle takes what the depth node and '
        'everything else leave', choices=('normal', 'low', 'idle'))
    camera_height: float = parameter(
        0.0, AT_ADAPT, 'height (metres) of the camera over the floor, for the scale; 0 means '
        'not known', low=0.0, high=100.0)
    camera_pitch: float = parameter(
        -90.0, AT_ADAPT, 'degrees by which the camera looks down; -90 means not known: it is '
        'seen from the floor, less exactly', low=-90.0, high=89.0)
    camera_roll: float = parameter(
        0.0, AT_ADAPT, 'degrees by which the camera is turned clockwise, with camera_pitch',
        low=-180.0, high=180.0)
    mount: str = parameter(
        'auto', AT_ADAPT, 'auto looks whether the camera is mounted over a floor, and has all '
        'frames agree on it; free does not look', choices=('auto', 'free'))
    tape_distance: float = parameter(
        0.0, AT_ADAPT, 'measured distance (metres) to what is in the middle of the images, for '
        'the scale; 0 means not measured', low=0.0, high=100.0)
    stall_limit: float = parameter(
        300.0, AT_ONCE, 'seconds without progress of the adaptation after which diagnostics '
        'warn', low=1.0, high=86_400.0)
    progress_period: float = parameter(
        1.0, AT_ONCE, 'seconds between two messages on ~/progress', low=0.1, high=60.0)
    diagnostics_period: float = parameter(
        1.0, AT_ONCE, 'seconds between two messages on /diagnostics', low=0.1, high=60.0)
    silence_limit: float = parameter(
        5.0, AT_ONCE, 'seconds without images while recording after which diagnostics report an '
        'error', low=0.5, high=3600.0)
    log_period: float = parameter(
        5.0, AT_ONCE, 'seconds between two log lines of the same complaint',
        low=0.0, high=3600.0)
    autostart: bool = parameter(
        True, AT_START, 'configure and activate by itself; false leaves it to a lifecycle '
        'manager')

    def conflict(self) -> str:
        """Return one sentence on values that do not go together, or nothing."""
        if not self.site.strip():
            return "site '': name a folder"
        if not self.camera.strip():
            return "camera '': give the camera a name"
        if not self.depth_node.strip():
            return "depth_node '': name the depth node"
        if self.camera_height and self.tape_distance:
            return 'camera_height and tape_distance: one scale is enough, set the other to 0.0'
        for name in ('camera_height', 'tape_distance'):
            if 0 < getattr(self, name) < .05:
                return f'{name} {getattr(self, name)}: give metres, 0.05 at least, or 0.0'
        if self.camera_roll and self.camera_pitch <= -90:
            return 'camera_roll: set camera_pitch too, or camera_roll to 0.0'
        if self.min_brightness >= self.max_brightness:
            return (f'min_brightness {self.min_brightness} must be below max_brightness '
                    f'{self.max_brightness}; set both at once')
        return ''

    def recording(self) -> RecordingSettings:
        """Return the settings of the recorder."""
        return RecordingSettings(**{name: getattr(self, name) for name in RECORDING
                                    if hasattr(self, name)})

    def stream(self) -> depth_parameters.Settings:
        """Return what the subscription of the camera asks for, as the depth node has it."""
        return depth_parameters.Settings(
            image_transport=self.image_transport, image_reliability=self.image_reliability,
            image_rectified=self.image_rectified, camera_info_file=self.camera_info_file,
            always_estimate=True, silence_limit=self.silence_limit)


TABLE = ParameterTable(Settings, 'adaptation node', 'docs/adaptation_node.md')
