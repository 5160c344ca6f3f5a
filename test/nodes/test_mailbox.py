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

"""Tests of the mailbox: newest wins, fair turns, nothing vanishes."""

import threading
import time

from hypothesis import given, strategies as st
import pytest

from mde_ros.nodes.mailbox import Mailbox


def test_the_newest_item_wins_and_the_old_one_comes_back():
    box = Mailbox(['a'])
    assert box.put('a', 1) is None
    assert box.put('a', 2) == 1
    assert box.take(0) == ('a', 2)
    assert box.take(0) is None


def test_cameras_take_turns_even_when_one_is_always_full():
    box = Mailbox(['a', 'b', 'c'])
    order = []
    for _ in range(6):
        for name in ('a', 'c'):
            box.put(name, name)
        order.append(box.take(0)[0])
    assert order == ['a', 'c', 'a', 'c', 'a', 'c']
    box.put('b', 'b')
    assert box.take(0)[0] == 'a'
    assert box.take(0)[0] == 'b'


def test_all_that_wait_are_taken_at_once_in_turn():
    box = Mailbox(['a', 'b', 'c'])
    for name in 'cab':
        box.put(name, name)
    box.put('a', 'newest')
    assert box.take(0) == ('a', 'newest')
    box.put('a', 'again')
    assert box.take_all(0) == [('b', 'b'), ('c', 'c'), ('a', 'again')]
    assert box.take_all(0) == []
    # The camera after the last one that was served comes first.
    box.put('c', 1)
    box.put('b', 2)
    assert box.take_all(0) == [('b', 2), ('c', 1)]
    box.put('c', 3)
    box.put('a', 4)
    assert box.take(0) == ('a', 4)


def test_a_taker_wakes_when_an_item_comes():
    box = Mailbox(['a'])
    taken = []
    thread = threading.Thread(target=lambda: taken.append(box.take(10)))
    thread.start()
    box.put('a', 5)
    thread.join(10)
    thread = threading.Thread(target=lambda: taken.append(box.take_all(10)))
    thread.start()
    box.put('a', 6)
    thread.join(10)
    assert taken == [('a', 5), [('a', 6)]]


def test_closing_wakes_takers_returns_what_is_left_and_refuses_more():
    box = Mailbox(['a', 'b'])
    box.put('b', 7)
    assert box.close() == {'b': 7}
    assert box.take() is None
    assert box.take_all() == []
    item = object()
    assert box.put('a', item) is item
    box.reopen()
    assert box.put('a', item) is None
    assert box.take(0) == ('a', item)


def test_a_timeout_is_kept():
    began = time.monotonic()
    assert Mailbox(['a']).take(.05) is None
    assert Mailbox(['a']).take_all(.05) == []
    assert time.monotonic() - began >= .1


@pytest.mark.parametrize('slots', [[], ['a', 'a']])
def test_impossible_slots_are_refused(slots):
    with pytest.raises(ValueError, match='at least one and no name twice'):
        Mailbox(slots)


def test_an_unknown_slot_is_refused():
    with pytest.raises(KeyError):
        Mailbox(['a']).put('b', 1)


@given(st.lists(st.sampled_from(['put a', 'put b', 'take', 'all']), max_size=60))
def test_every_item_is_taken_replaced_or_left(steps):
    box = Mailbox(['a', 'b'])
    came, went = [], []
    for number, step in enumerate(steps):
        if step == 'take':
            taken = box.take(0)
            went += [] if taken is None else [taken[1]]
        elif step == 'all':
            went += [item for _, item in box.take_all(0)]
        else:
            came.append(number)
            replaced = box.put(step[-1], number)
            went += [] if replaced is None else [replaced]
    assert sorted(went + list(box.close().values())) == came
