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

"""When a recording has enough: frames, seconds, bytes, and the room left on the disk."""

import os
import shutil

from mde_ros.onsite.recording_settings import RecordingSettings


def limit_reached(settings: RecordingSettings, folder: str | os.PathLike[str], *, frames: int,
                  seconds: float, used: int, need: int) -> str:
    """
    Return which limit keeps one more frame out, '' when none does.

    :param frames: kept in the folder.
    :param seconds: recorded.
    :param used: bytes of the folder.
    :param need: bytes that one more frame may take.
    :raises OSError: when the folder is gone.
    """
    if frames >= settings.max_frames:
        return f'max_frames: {settings.max_frames} frames are kept'
    if seconds > settings.max_seconds:
        return f'max_seconds: {settings.max_seconds:g} s are recorded'
    if used + need > settings.max_megabytes * 1e6:
        return f'max_megabytes: {used / 1e6:.1f} of {settings.max_megabytes:g} MB are used'
    free = shutil.disk_usage(folder).free
    if free - need < settings.min_free_megabytes * 1e6:
        return (f'min_free_megabytes: the disk of {folder} has {free / 1e6:.0f} MB free, '
                f'{settings.min_free_megabytes:g} MB must stay')
    return ''
