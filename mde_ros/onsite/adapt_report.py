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

"""What came of an adaptation."""

from dataclasses import dataclass, field
from typing import Any

from mde_ros.evaluation.surroundings import machine, versions


@dataclass(frozen=True)
class AdaptReport:
    """
    What came of an adaptation: OUT/report.json.

    :param accepted: whether the profile may replace what runs now.
    :param why: in words, one line.
    :param profile: file of the profile, '' where none was written.
    :param check: the verdict's measures; {} where it did not come to a check.
    :param scale: the profile's, and why there is none although an anchor was given.
    :param settings: all of them, with the data and their hashes.
    :param seconds: of each phase; training is the sum over all processes that shared it.
    :param peak_memory_mb: of this process.
    """

    accepted: bool
    why: str
    profile: str = ''
    check: dict[str, Any] = field(default_factory=dict)
    scale: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    peak_memory_mb: float = 0.

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return {**vars(self), 'machine': machine(), 'versions': versions()}
