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

from mde_ros.camera.fog import Weather, WeatherError
from mde_ros.camera.fog_banks import FogBanks

# Visibilities of rooms, not of roads: 60, 20, 7.5 and 10 m.
WEATHERS: dict[str, Weather] = {
    'clear': Weather(),
    'haze': Weather(.05, (.7, .72, .75), unevenness=.1),
    'fog': Weather(.15, (.75, .76, .78), unevenness=.2, scatter=1.),
    'dense_fog': Weather(.4, (.78, .78, .79), unevenness=.25, scatter=2.),
    'smoke': Weather(.3, (.2, .19, .18), unevenness=.6, scatter=1.),
    # Another model than the others: benchmarks measure on it what no training has used.
    'fog_banks': FogBanks(.2, (.62, .6, .55), scatter=.7),
}


def weather_named(name: str) -> Weather:
    """
    Return a weather of ``WEATHERS``.

    :raises WeatherError: listing the names there are.
    """
    if name not in WEATHERS:
        raise WeatherError(f"no weather '{name}'; there are: {', '.join(WEATHERS)}")
    return WEATHERS[name]
