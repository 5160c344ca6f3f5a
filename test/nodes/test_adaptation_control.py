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

"""Words of the services; which phase answers what is in test_adaptation_node."""

import pytest

pytest.importorskip('rclpy')

from mde_ros.nodes.adaptation_control import time_left


@pytest.mark.parametrize(('seconds', 'words'), [
    (float('nan'), 'time left not known yet'), (float('inf'), 'time left not known yet'),
    (0., '0 s left'), (89.4, '89 s left'), (90., '2 min left'), (3600., '60 min left')])
def test_time_left(seconds, words):
    assert time_left(seconds) == words
