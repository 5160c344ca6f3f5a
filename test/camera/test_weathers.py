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

"""The weathers by name."""

import math

import pytest

from mde_ros.camera.fog import WeatherError
from mde_ros.camera.weathers import weather_named, WEATHERS


def test_order_of_visibility() -> None:
    assert WEATHERS['clear'].visibility == math.inf
    order = [WEATHERS[name].visibility for name in ('clear', 'haze', 'fog', 'dense_fog')]
    assert order == sorted(order, reverse=True)


def test_names() -> None:
    assert weather_named('fog') is WEATHERS['fog']
    with pytest.raises(WeatherError, match=r'snow.*clear, haze, fog'):
        weather_named('snow')
