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

"""Whether a list of a split is the one that was published."""

from collections.abc import Iterable
import hashlib
import logging
from pathlib import Path

_log = logging.getLogger(__name__)


def list_checksum(items: Iterable[object]) -> str:
    """Return the SHA-256 of the items as text, sorted, one a line."""
    return hashlib.sha256('\n'.join(sorted(map(str, items))).encode()).hexdigest()


def describe_split(split: str, items: Iterable[object], published: str, path: Path) -> str:
    """
    Return 'SPLIT, as published' or 'SPLIT, not as published', and warn of the latter.

    :param items: of the list, in any order.
    :param published: checksum of the published list.
    :param path: where the list was read from.
    """
    if list_checksum(items) == published:
        return f'{split}, as published'
    _log.warning('%s: its split %s has the right length but is not the published one: numbers '
                 'measured on it compare with no table', path, split)
    return f'{split}, not as published'
