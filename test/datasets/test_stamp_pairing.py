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

"""Pairing by stamp: exact first, else the nearest; bounded; clocks that are set back."""

from collections.abc import Iterable

from hypothesis import given, strategies as st

from mde_ros.datasets.stamp_pairing import Pair, StampPairer


Paired = tuple[int, int | None, str]


def run(pairer: StampPairer, events: Iterable[tuple[str, int]]) -> list[Paired]:
    """Feed ('i', stamp), ('d', stamp) and ('c', stamp); return (image, depth, kind) in order."""
    pairs: list[Pair] = []
    for what, stamp in events:
        add = {'i': pairer.add_image, 'd': pairer.add_depth}.get(what)
        pairs += add(stamp, stamp) if add else pairer.add_info(stamp)
    pairs += pairer.finish()
    assert all(pair.stamp == pair.image for pair in pairs)
    return [(pair.image, pair.depth, pair.kind) for pair in pairs]


def pairer(slop: int = 20, *, info: bool = False, limit: int = 32) -> StampPairer:
    return StampPairer(slop, with_info=info, limit=limit)


def test_equal_stamps_pair_at_once() -> None:
    streams = pairer()
    assert not list(streams.add_image(100, 'image'))
    assert list(streams.add_depth(100, 'depth')) == [Pair(100, 'image', 'depth', 'exact')]
    assert not list(streams.finish()) and streams.unused_depths == 0


def test_depth_may_come_first_or_much_later() -> None:
    assert run(pairer(), [('d', 1), ('i', 1), ('i', 100), ('i', 200), ('d', 100), ('d', 200)]) == [
        (1, 1, 'exact'), (100, 100, 'exact'), (200, 200, 'exact')]


def test_the_nearest_within_the_slop_is_taken() -> None:
    assert run(pairer(), [('d', 85), ('i', 100), ('d', 112), ('d', 300)]) == [(100, 112, 'near')]
    assert run(pairer(), [('d', 80), ('i', 100)]) == [(100, 80, 'near')]
    assert run(pairer(), [('d', 79), ('i', 100)]) == [(100, None, 'unpaired')]


def test_an_equal_stamp_wins_over_an_earlier_near_one() -> None:
    assert run(pairer(), [('d', 99), ('i', 100), ('d', 100), ('i', 200), ('d', 200)]) == [
        (100, 100, 'exact'), (200, 200, 'exact')]


def test_a_depth_is_left_to_the_image_that_is_nearer() -> None:
    # 60 Hz images and 30 Hz depth, 2 late: 19 is near 0 too, but belongs to 17.
    assert run(pairer(), [('i', 0), ('i', 17), ('d', 19), ('i', 33), ('i', 50), ('d', 52)]) == [
        (0, None, 'unpaired'), (17, 19, 'near'), (33, None, 'unpaired'), (50, 52, 'near')]


def test_a_depth_goes_to_one_image_only() -> None:
    assert run(pairer(), [('d', 10), ('i', 10), ('i', 11)]) == [
        (10, 10, 'exact'), (11, None, 'unpaired')]


def test_images_do_not_wait_for_depth_that_cannot_come() -> None:
    streams = pairer(limit=3)
    for stamp in (0, 100, 200):
        assert not list(streams.add_image(stamp, stamp))
    assert list(streams.add_image(300, 300)) == [Pair(0, 0, None, 'unpaired')]


def test_depths_held_are_bounded_and_counted() -> None:
    streams = pairer(limit=3)
    for stamp in range(0, 1000, 100):
        assert not list(streams.add_depth(stamp, stamp))
    assert streams.unused_depths == 7
    assert run(streams, [('i', 0), ('i', 900)]) == [(0, None, 'unpaired'), (900, 900, 'exact')]
    assert streams.unused_depths == 9


def test_a_clock_set_back_pairs_on_both_sides() -> None:
    events = [(what, base + step) for base in (10_000, 0) for step in (0, 100, 200)
              for what in 'id']
    shifted = [(what, stamp + 5 if what == 'd' else stamp) for what, stamp in events]
    assert run(pairer(), shifted) == [
        (base + step, base + step + 5, 'near') for base in (10_000, 0) for step in (0, 100, 200)]


def test_an_image_waits_for_the_info_of_its_stamp() -> None:
    streams = pairer(info=True)
    assert not list(streams.add_image(100, 'a'))
    assert not list(streams.add_depth(100, 'd'))
    assert [pair.image for pair in streams.add_info(100)] == ['a']
    # A bag with one latched info goes on after two more images.
    assert not list(streams.add_depth(200, 'd'))
    assert not list(streams.add_image(200, 'b'))
    assert not list(streams.add_image(300, 'c'))
    assert [pair.image for pair in streams.add_image(400, 'e')] == ['b']


def test_without_depth_images_pass() -> None:
    streams = StampPairer(20, with_depth=False, with_info=False)
    assert list(streams.add_image(1, 'a')) == [Pair(1, 'a', None, 'unpaired')]


EVENTS = st.lists(st.tuples(st.sampled_from('iiddc'), st.integers(0, 60)), max_size=60)


@given(EVENTS, st.integers(0, 10), st.booleans(), st.integers(1, 5))
def test_nothing_is_lost_or_used_twice(events: list[tuple[str, int]], slop: int, info: bool,
                                       limit: int) -> None:
    streams = pairer(slop, info=info, limit=limit)
    pairs = run(streams, events)
    assert [image for image, _, _ in pairs] == [stamp for what, stamp in events if what == 'i']
    used = [depth for _, depth, _ in pairs if depth is not None]
    depths = [stamp for what, stamp in events if what == 'd']
    assert len(used) + streams.unused_depths == len(depths)
    assert all(used.count(stamp) <= depths.count(stamp) for stamp in used)
    for image, depth, kind in pairs:
        gap = None if depth is None else abs(image - depth)
        assert kind == ('unpaired' if gap is None else 'exact' if gap == 0 else 'near')
        assert gap is None or gap <= slop


@given(st.lists(st.integers(1, 1000), unique=True, min_size=1, max_size=20), st.data())
def test_equal_stamps_are_found_in_any_interleaving(
        stamps: list[int], data: st.DataObject) -> None:
    stamps.sort()
    waiting = {'i': list(stamps), 'd': list(stamps)}
    events = []
    while waiting['i'] or waiting['d']:
        what = data.draw(st.sampled_from([key for key in 'id' if waiting[key]]))
        events.append((what, waiting[what].pop(0)))
    assert run(pairer(slop=0), events) == [(stamp, stamp, 'exact') for stamp in stamps]
