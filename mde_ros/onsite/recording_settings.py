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

"""Every setting of a recording, once: name, unit, default, range, what it does."""

from collections.abc import Iterable
from dataclasses import dataclass, Field, field, fields, replace
import math
from typing import Any

from mde_ros.errors import MdeError


class RecordingError(MdeError):
    """Settings or a folder that cannot be recorded with; the message names them."""


def _setting(default: Any, unit: str, low: float, high: float, text: str) -> Any:
    return field(default=default,
                 metadata={'unit': unit, 'low': low, 'high': high, 'text': text})


@dataclass(frozen=True)
class RecordingSettings:
    """
    Which frames are kept, and how many.

    :raises RecordingError: for a value of another type or out of its range.
    """

    min_interval: float = _setting(
        .2, 's', 0, 3600, 'between two kept frames, by their stamps')
    min_motion: float = _setting(
        1., '% of the longest side', 0, 100,
        'that the picture moved since the last kept frame (median of tracked corners)')
    min_sharpness: float = _setting(
        .35, 'share', 0, 1, 'of the median sharpness of the latest frames; 0 keeps all')
    min_brightness: float = _setting(
        20., 'grey levels', 0, 255, 'of the mean, below which a frame is too dark')
    max_brightness: float = _setting(
        235., 'grey levels', 0, 255, 'of the mean, above which a frame is overexposed')
    max_dark: float = _setting(
        .6, 'share', 0, 1, 'of the pixels that may be black (level 8 or less)')
    max_bright: float = _setting(
        .4, 'share', 0, 1, 'of the pixels that may be white (level 250 or more)')
    min_contrast: float = _setting(
        3., 'grey levels', 0, 128, 'standard deviation below which a frame is of one colour')
    min_novelty: float = _setting(
        .02, '1 - correlation', 0, 2, 'to the most similar frame of all that are kept')
    min_change: float = _setting(
        .1, '1 - correlation', 0, 2,
        'to every kept frame, at which a frame is kept though the camera stands still')
    max_frames: int = _setting(
        600, 'frames', 1, 100_000, 'in the folder, earlier recordings included')
    max_megabytes: float = _setting(
        1000., 'MB', .001, 1e6, 'in the folder, earlier recordings included')
    max_seconds: float = _setting(
        900., 's', .1, 1e6, 'of this recording')
    min_free_megabytes: float = _setting(
        500., 'MB', 0, 1e6, 'that stay free on the disk')
    jpeg_quality: int = _setting(
        95, '1 to 100', 1, 100, 'of frames that do not come as JPEG')
    block_frames: int = _setting(
        8, 'frames', 1, 1000, 'in a row of one split; one block of five is for the check')
    odometry_interval: float = _setting(
        .05, 's', 0, 3600, 'between two kept poses or ranges')

    def __post_init__(self) -> None:
        """Check every value."""
        for entry in fields(self):
            value, low, high = (
                getattr(self, entry.name), entry.metadata['low'], entry.metadata['high'])
            whole = isinstance(entry.default, int)
            if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
                raise RecordingError(
                    f'{entry.name} = {value!r}: must be a {"whole " if whole else ""}number')
            if not math.isfinite(value) or not low <= value <= high:
                raise RecordingError(f'{entry.name} = {value:g}: must be from {low:g} to '
                                     f'{high:g} ({entry.metadata["unit"]})')
        if self.min_brightness >= self.max_brightness:
            raise RecordingError(f'min_brightness {self.min_brightness:g} must be below '
                                 f'max_brightness {self.max_brightness:g}')

    @classmethod
    def keep_all(cls, **changes: Any) -> 'RecordingSettings':
        """Return settings that refuse no frame for what it shows, only beyond the limits."""
        return replace(cls(
            min_interval=0., min_motion=0., min_sharpness=0., min_brightness=0.,
            max_brightness=255., max_dark=1., max_bright=1., min_contrast=0.,
            min_novelty=0., min_change=0.), **changes)

    def changed(self, names: Iterable[str], values: Any) -> 'RecordingSettings':
        """
        Return a copy with the attributes ``names`` of ``values`` where they are not None.

        :raises RecordingError: as the class does.
        """
        given = {name: getattr(values, name, None) for name in names}
        return replace(self, **{
            name: value for name, value in given.items() if value is not None})


TABLE: dict[str, Field[Any]] = {entry.name: entry for entry in fields(RecordingSettings)}
