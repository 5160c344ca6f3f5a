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

"""Fields under the name of a method, read and checked."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.method_parts import MethodParts


@dataclass(frozen=True)
class Parts(MethodParts):
    """Parts of a method that there is not."""

    method: ClassVar[str] = 'ours'

    mode: str = 'a'
    weight: float = 1.
    count: int = 2
    wanted: bool = True

    def __post_init__(self) -> None:
        """Check some."""
        self.check_choice('mode', ('a', 'b'))
        self.check_weights('weight', 'count')


def test_reading() -> None:
    assert Parts.from_dict({}) == Parts()
    found = Parts.from_dict({'mode': 'b', 'weight': 2, 'count': 3, 'wanted': False})
    assert found == Parts('b', 2., 3, False) and isinstance(found.weight, float)


@pytest.mark.parametrize(('values', 'message'), [
    ({'zoom': 1., 'area': 2}, 'unknown fields ours.area, ours.zoom; there are: mode, weight'),
    ({'wanted': 1}, 'ours.wanted: 1 where a bool is needed'),
    ({'count': True}, 'ours.count: True where a int'), ({'count': 1.5}, 'ours.count: 1.5'),
    ({'weight': 'half'}, "ours.weight: 'half' where a float"),
    ({'mode': 'c'}, "ours.mode 'c': use one of a, b"),
    ({'weight': -1}, 'ours.weight = -1.0: must not be negative'),
    ({'weight': float('nan')}, 'ours.weight = nan'), ({'count': -1}, 'ours.count = -1')])
def test_what_is_wrong_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Parts.from_dict(values)
