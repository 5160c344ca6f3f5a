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

"""Whether a recording can be adapted to: enough different, bright, sharp pictures."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.onsite.recording_look import distances, look_at

# Frames that are looked at, spread evenly.
MOST_FRAMES = 200
# 1 - correlation from which two views count as different.
DIFFERENT = .05


@dataclass(frozen=True)
class CheckLimits:
    """
    What a recording must have; see :class:`RecordingMeasures`.

    The values keep apart eleven recordings of real cameras and their static, darkened,
    overexposed and blurred copies; see docs/recording.md.
    """

    min_frames: int = 20
    min_views: int = 5
    min_variation: float = .03
    min_brightness: float = 20.
    max_brightness: float = 235.
    max_dark: float = .6
    max_bright: float = .4
    min_contrast: float = 6.
    min_detail: float = .25


@dataclass(frozen=True)
class RecordingMeasures:
    """
    What was measured; medians over the frames unless said otherwise.

    :param frames: readable frames; when more than 200, the others are not opened.
    :param unreadable: frames that could not be read, of those opened.
    :param views: frames that differ by 0.05 or more (1 - correlation) from all such before.
    :param variation: how much a typical part of the picture changes over the recording, by its
        contrast: 0 for a camera that stands still, whoever walks by.
    :param brightness: mean grey level, 0 to 255.
    :param dark: share of black pixels.
    :param bright: share of white pixels.
    :param contrast: standard deviation of the grey levels.
    :param detail: fine by coarse contrast: 0.4 and more when sharp, 0.1 when defocused.
    """

    frames: int
    unreadable: int
    views: int
    variation: float
    brightness: float
    dark: float
    bright: float
    contrast: float
    detail: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def check_recording(folder: str | Path, split: str | None = None, *,
                    limits: CheckLimits | None = None,
                    intrinsics: Intrinsics | None = None) -> list[str]:
    """
    Return the reasons not to adapt to a recording, each with what to do; [] when there is none.

    :param folder: an RGB-D folder; depth is not looked at.
    :param split: only this split of it.
    :param intrinsics: for a folder that has none.
    :raises mde_ros.datasets.frame.DatasetError: when it is no RGB-D folder.
    """
    return reasons_against(measure_recording(folder, split, intrinsics=intrinsics),
                           limits or CheckLimits())


def measure_recording(folder: str | Path, split: str | None = None, *,
                      intrinsics: Intrinsics | None = None) -> RecordingMeasures:
    """
    Measure a recording; 200 frames of 640 x 480 take about 2 s.

    :raises mde_ros.datasets.frame.DatasetError: when it is no RGB-D folder.
    """
    data = RgbdFolder(folder, split, read_depth=False, intrinsics=intrinsics)
    chosen = np.unique(np.linspace(0, len(data) - 1, min(len(data), MOST_FRAMES)).round())
    looks = [look_at(frame.image) for frame in map(data.get, chosen.astype(int).tolist())
             if frame is not None]
    unreadable = len(chosen) - len(looks)
    if not looks:
        return RecordingMeasures(0, unreadable, 0, 0., 0., 0., 0., 0., 0.)

    def median(field: str) -> float:
        return float(np.median([getattr(look, field) for look in looks]))

    descriptors = np.stack([look.descriptor for look in looks])
    return RecordingMeasures(
        len(data) - unreadable, unreadable, _count_views(descriptors), _variation(descriptors),
        *map(median, ('brightness', 'dark', 'bright', 'contrast', 'detail')))


def reasons_against(found: RecordingMeasures, limits: CheckLimits) -> list[str]:
    """Return what is wrong with a recording of these measures."""
    reasons = []
    if found.frames < limits.min_frames:
        reasons.append(f'too few frames: {found.frames} readable, {limits.min_frames} are needed: '
                       'record longer, in more places')
    if not found.frames:
        return reasons
    picture = next((text for text in (rule(found, limits) for rule in _PICTURE) if text), None)
    if picture:
        # What hides the picture makes its sharpness and motion meaningless.
        return [*reasons, picture]
    if found.detail < limits.min_detail:
        reasons.append(f'blurred: fine detail is {found.detail:.2f} of the coarse, '
                       f'{limits.min_detail:g} is needed: focus and clean the lens, drive slower '
                       'or give more light')
    if found.variation < limits.min_variation or found.views < limits.min_views:
        reasons.append(
            f'one static view: {found.views} different views ({limits.min_views} are needed), '
            f'the picture varies by {found.variation:.3f} ({limits.min_variation:g} is needed): '
            'drive the robot about and look in all directions')
    return reasons


def _dark(found: RecordingMeasures, limits: CheckLimits) -> str:
    if found.brightness >= limits.min_brightness and found.dark <= limits.max_dark:
        return ''
    return (f'too dark: mean grey level {found.brightness:.0f} of 255 ({limits.min_brightness:g} '
            f'is needed), {found.dark:.0%} black pixels (at most {limits.max_dark:.0%}): switch '
            'the light on, or raise exposure or gain')


def _overexposed(found: RecordingMeasures, limits: CheckLimits) -> str:
    if found.brightness <= limits.max_brightness and found.bright <= limits.max_bright:
        return ''
    return (f'overexposed: mean grey level {found.brightness:.0f} of 255 (at most '
            f'{limits.max_brightness:g}), {found.bright:.0%} white pixels (at most '
            f'{limits.max_bright:.0%}): lower the exposure')


def _plain(found: RecordingMeasures, limits: CheckLimits) -> str:
    if found.contrast >= limits.min_contrast:
        return ''
    return (f'one colour: contrast of {found.contrast:.1f} grey levels, {limits.min_contrast:g} '
            'are needed: uncover the lens, or drive where there is something to see')


_PICTURE: tuple[Callable[[RecordingMeasures, CheckLimits], str], ...] = (
    _dark, _overexposed, _plain)


def _count_views(descriptors: NDArray[np.float32]) -> int:
    views = descriptors[:1]
    for descriptor in descriptors[1:]:
        if distances(descriptor, views).min() >= DIFFERENT:
            views = np.concatenate([views, descriptor[None]])
    return len(views)


def _variation(descriptors: NDArray[np.float32]) -> float:
    """Return the median over cells of how far they stray from their own median over time."""
    strays = np.median(np.abs(descriptors - np.median(descriptors, 0)), 0)
    # A descriptor has length 1: this is the deviation of its cells.
    return float(np.median(strays) * np.sqrt(descriptors.shape[1]))
