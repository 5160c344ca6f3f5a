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

"""The early gate on the source."""

from adapt_harness import tiny_network
import numpy as np
import pytest
from test_check_measures import constant, Fake, labelled

from mde_ros.onsite.source_gate import source_error, SourceForgotten, SourceGate


def test_the_error_by_hand() -> None:
    sources = labelled(.25)
    assert source_error(Fake(constant), sources) == pytest.approx(.75)
    sources[0].log_depth[:] = np.nan  # type: ignore[index]
    assert source_error(Fake(constant), sources) == pytest.approx(.75)


def test_a_rise_beyond_five_times_the_limit_stops() -> None:
    # 0.75 before; with a limit of 4 % a fifth more is allowed, 0.9.
    gate = SourceGate(Fake(constant), labelled(.25), .04)
    assert gate.most == pytest.approx(.2)
    assert gate(Fake(lambda image: constant(image) + .14)) == {'source': pytest.approx(.89)}
    with pytest.raises(SourceForgotten, match=r'rose from 0\.750 to 0\.910, more than 20%'):
        gate(Fake(lambda image: constant(image) + .16))
    with pytest.raises(SourceForgotten):
        gate(Fake(lambda image: constant(image) * float('nan')))


def test_some_wandering_is_always_allowed() -> None:
    assert SourceGate(tiny_network(), labelled(0.), 0.).most == .1
