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

"""Files that are whole or absent after a kill, and where it is asked for after a power cut."""

import json
import os
from pathlib import Path
from typing import Any


def write_whole(path: Path, data: bytes, durable: bool = False) -> None:
    """
    Write a file aside and rename it, so that it is whole or absent.

    :param durable: also after a power cut, and there when this returns.
    """
    # Hidden, so that no reader lists it; a resumed job writes the same frame over it.
    aside = path.with_name(f'.{path.name}.tmp')
    aside.write_bytes(data)
    if durable:
        sync(aside)
    aside.replace(path)
    if durable:
        sync(path.parent)


def save_json(path: Path, fields: dict[str, Any]) -> None:
    """Write JSON aside, on the disk before it is renamed; its new name may still be lost."""
    aside = path.with_name(f'.{path.name}.tmp')
    with aside.open('w', encoding='utf-8') as file:
        json.dump(fields, file, indent=1)
        # Without this a power cut may leave an empty file under the new name.
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
