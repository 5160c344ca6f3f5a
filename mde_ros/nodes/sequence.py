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

"""Gaps in a publisher's sequence numbers: images that were published and never arrived."""


class SequenceGaps:
    """Count missing numbers; only while there is one publisher, whose numbers they are."""

    def __init__(self) -> None:
        """Start before the first number."""
        self._last: int | None = None
        self._countable = True

    def restart(self, publishers: int | None = None) -> None:
        """Forget the last number, because publishers came or went."""
        self._last = None
        if publishers is not None:
            self._countable = publishers <= 1

    def missing(self, number: int | None) -> int:
        """Return how many numbers lie between the last one and this; 0 where unknown."""
        last, self._last = self._last, number
        if number is None or last is None or not self._countable or number <= last:
            return 0
        return number - last - 1
