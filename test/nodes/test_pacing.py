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

"""Tests of reading ahead and of being late."""

import threading
import time

import pytest

from mde_ros.nodes.pacing import Pace, prefetch, PREFETCHED_ITEMS


def readers():
    return [thread for thread in threading.enumerate() if thread.name == 'frame reader']


def test_items_come_in_order():
    assert list(prefetch(iter(range(50)), threading.Event())) == list(range(50))
    assert not readers()


def test_a_few_items_are_read_ahead_and_no_more():
    read = []

    def items():
        for number in range(100):
            read.append(number)
            yield number

    iterator = prefetch(items(), threading.Event())
    assert next(iterator) == 0
    end = time.monotonic() + 10
    while len(read) < PREFETCHED_ITEMS + 1 and time.monotonic() < end:
        time.sleep(.005)
    time.sleep(.15)
    # One was yielded, the queue is full, one more waits to be put.
    assert len(read) == PREFETCHED_ITEMS + 2
    iterator.close()
    assert not readers()


def test_an_exception_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError('broken')

    iterator = prefetch(items(), threading.Event())
    assert next(iterator) == 1
    with pytest.raises(ValueError, match='broken'):
        next(iterator)
    assert not readers()


def test_a_stop_ends_it():
    stop = threading.Event()
    seen = []
    for number in prefetch(iter(range(1000)), stop):
        seen.append(number)
        if number == 3:
            stop.set()
    assert seen == [0, 1, 2, 3]
    assert not readers()


def test_a_hold_up_shifts_the_following_frames_instead_of_bursting():
    pace = Pace(100.)
    assert pace.wait(.1, 100.04) == pytest.approx(.06)
    assert pace.late(.1, 100.105) == pytest.approx(.005)
    assert pace.wait(.2, 100.105) == pytest.approx(.095)
    # Half a second of hold-up: due 0.2 is 0.4 late, due 0.3 comes 0.1 after it.
    assert pace.wait(.2, 100.6) == 0
    assert pace.late(.2, 100.6) == pytest.approx(.4)
    assert pace.wait(.3, 100.6) == pytest.approx(.1)
    assert pace.late(.3, 100.7) == pytest.approx(0)
