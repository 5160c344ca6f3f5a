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

"""Fast DDS for large images: export the profile of this package before ROS starts."""

from collections.abc import MutableMapping
import os
from pathlib import Path
import shutil
import sys

VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
OPT_OUT = 'MDE_ROS_KEEP_TRANSPORT'
FILE_NAME = 'fastdds_large_images.xml'
SEGMENT_BYTES = 64 << 20


def profile_path() -> Path | None:
    """Return the profile: in the installed share folder, or in the source tree; else None."""
    folders = [Path(__file__).resolve().parents[2] / 'config',
               Path(sys.prefix) / 'share' / 'mde_ros' / 'config']
    try:
        from ament_index_python.packages import get_package_share_directory
        folders.insert(0, Path(get_package_share_directory('mde_ros')) / 'config')
    except (ImportError, LookupError, OSError):  # OSError: no ROS environment is sourced
        pass
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)


def export_large_image_profile(environment: MutableMapping[str, str] = os.environ,
                               shared_memory: str = '/dev/shm') -> str:
    """
    Make DDS participants that are created later in this process use the profile.

    Nothing changes when the user has chosen a profile, another middleware, or set
    MDE_ROS_KEEP_TRANSPORT, or when the shared memory is too small for the segment (containers
    have 64 MiB by default).

    :return: one sentence on what was done, for the log.
    """
    if environment.get(OPT_OUT):
        return f'transport: left alone because {OPT_OUT} is set'
    chosen = next((name for name in VARIABLES if environment.get(name)), None)
    if chosen:
        return f'transport: {chosen}={environment[chosen]}'
    middleware = environment.get('RMW_IMPLEMENTATION') or 'rmw_fastrtps_cpp'
    if 'fastrtps' not in middleware:
        return f'transport: {middleware} with its own settings'
    path = profile_path()
    if path is None:
        return f'transport: {FILE_NAME} is not installed; images over 0.5 MB may get lost'
    try:
        free = shutil.disk_usage(shared_memory).free
    except OSError:
        free = 0
    if free < 2 * SEGMENT_BYTES:
        return (f'transport: only {free >> 20} MiB free in {shared_memory}, so images over '
                '0.5 MB may get lost; give the container 512 MiB (docker run --shm-size=512m)')
    for name in VARIABLES:
        environment[name] = str(path)
    return f'transport: shared memory for large images ({path})'
