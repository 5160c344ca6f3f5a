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

"""Argument types that several subcommands share."""

import argparse


def parse_size(text: str) -> tuple[int, int]:
    """
    Return (width, height) of 'WxH'.

    :raises argparse.ArgumentTypeError: naming the form expected.
    """
    try:
        width, height = (int(word) for word in text.lower().split('x'))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}': give a size as WxH, such as 320x240"
                                         ) from error
    if width < 1 or height < 1:
        raise argparse.ArgumentTypeError(f"'{text}': width and height must be positive")
    return width, height


def parse_sizes(text: str) -> tuple[tuple[float, int, int], ...]:
    """
    Return ((share, width, height), ...) of 'WxH:SHARE,WxH:SHARE'.

    :raises argparse.ArgumentTypeError: naming the form expected.
    """
    stages = []
    for part in text.split(','):
        size, _, share = part.partition(':')
        try:
            stages.append((float(share or 1), *parse_size(size)))
        except ValueError as error:
            raise argparse.ArgumentTypeError(
                f"'{part}': give input sizes as WxH:SHARE, such as 192x144:0.7,320x240:0.3"
            ) from error
    return tuple(stages)


def whole_positive(text: str) -> int:
    """
    Return a whole number of at least 1.

    :raises argparse.ArgumentTypeError: naming the form expected.
    """
    value = whole_number(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}': give a whole number of at least 1")
    return value


def whole_number(text: str) -> int:
    """
    Return a whole number that is not negative.

    :raises argparse.ArgumentTypeError: naming the form expected.
    """
    try:
        value = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}': give a whole number") from error
    if value < 0:
        raise argparse.ArgumentTypeError(f"'{text}': give a number that is not negative")
    return value


def metres_list(text: str) -> tuple[float, ...]:
    """
    Return the metres of 'M,M,...'.

    :raises argparse.ArgumentTypeError: naming the form expected.
    """
    try:
        return tuple(float(word) for word in text.split(','))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"'{text}': give metres with commas between, such as 1,2,4") from error
