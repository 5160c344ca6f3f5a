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

"""Argument types that several commands share."""

import argparse

from hypothesis import given, strategies as st
import pytest

from mde_ros.command_line.arguments import (
    metres_list, parse_size, parse_sizes, whole_number, whole_positive)


@given(st.integers(1, 10 ** 6), st.integers(1, 10 ** 6))
def test_sizes_round_trip(width: int, height: int) -> None:
    assert parse_size(f'{width}x{height}') == parse_size(f'{width}X{height}') == (width, height)


@pytest.mark.parametrize('text', ['', '320', '320x', 'x240', '1x2x3', '320*240', 'axb', '3.5x2'])
def test_what_is_no_size_is_told_the_form(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        parse_size(text)
    assert str(caught.value) == f"'{text}': give a size as WxH, such as 320x240"


@pytest.mark.parametrize('text', ['0x240', '320x0', '-3x5'])
def test_sides_must_be_positive(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='must be positive'):
        parse_size(text)


def test_stages() -> None:
    assert parse_sizes('192x144:0.7,320x240:.3') == ((.7, 192, 144), (.3, 320, 240))
    assert parse_sizes('320x240') == ((1., 320, 240),)


@pytest.mark.parametrize('text', ['', '320x240:half', '320x240:.5,', '320:1', '0x9:1'])
def test_what_are_no_stages_is_told_the_form(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r'320x240|must be positive'):
        parse_sizes(text)


def test_numbers_and_lists() -> None:
    assert (whole_number('0'), whole_positive('7'), metres_list('1,2.5,4')) == (
        0, 7, (1., 2.5, 4.))
    for parse, text, words in ((whole_number, '-1', 'not negative'),
                               (whole_number, '1.5', 'whole number'),
                               (whole_positive, '0', 'at least 1'),
                               (metres_list, '1;2', 'commas')):
        with pytest.raises(argparse.ArgumentTypeError, match=words):
            parse(text)
