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

"""Which frames are kept: each reason, each limit, and what is remembered."""

import cv2
import numpy as np
import pytest
from recording_scene import noisy, view

from mde_ros.onsite.frame_choice import FrameChooser, SHARPNESS_START
from mde_ros.onsite.recording_settings import RecordingSettings

S = 1_000_000_000


def chooser(**changes):
    """Return a chooser in which only the given limits hold."""
    return FrameChooser(RecordingSettings.keep_all(**{'min_change': 2., **changes}))


def reasons(chosen, images, stamps=None):
    stamps = stamps or [0] * len(images)
    return [chosen.consider(image, stamp).reason for image, stamp in zip(images, stamps)]


def test_a_drive_along_a_wall_is_kept_and_a_stop_is_not():
    chosen = FrameChooser()
    images = [view(at) for at in (0, 10, 20, 20, 20, 30)]
    assert reasons(chosen, images, [S * (i + 1) for i in range(6)]) == [
        '', '', '', 'no motion', 'no motion', '']
    assert len(chosen) == 4


def test_interval_by_stamps():
    chosen = chooser(min_interval=.5)
    stamps = [10 * S, 10 * S + S // 2 - 1, 10 * S + S // 2, 10 * S + S // 2 + 1, 11 * S]
    assert reasons(chosen, [view(0)] * 5, stamps) == ['', 'too soon', '', 'too soon', '']
    # Without stamps, or with those of an earlier time, no interval is asked for.
    assert reasons(chosen, [view(0)] * 3, [0, 3 * S, 3 * S + 1]) == ['', '', 'too soon']


@pytest.mark.parametrize(('limit', 'kept'), [(3., False), (1., True)])
def test_motion_in_percent_of_the_longest_side(limit, kept):
    chosen = chooser(min_motion=limit)
    chosen.consider(view(0))
    choice = chosen.consider(view(2))  # 2 of 96 pixels: 2.1 %
    assert choice.motion == pytest.approx(100 * 2 / 96, abs=.15)
    assert choice.keep == kept
    assert choice.reason == ('' if kept else 'no motion')


def test_motion_is_measured_from_the_last_kept_frame():
    chosen = chooser(min_motion=5.)
    assert reasons(chosen, [view(at) for at in (0, 2, 4, 6)]) == ['', 'no motion', 'no motion', '']


def test_noise_is_no_motion():
    chosen = chooser(min_motion=1.)
    assert reasons(chosen, [noisy(view(40), 5, seed) for seed in range(4)]) == [
        '', *['no motion'] * 3]


def test_a_person_who_walks_by_is_no_motion():
    chosen = chooser(min_motion=1.)
    images = [view(0) for _ in range(4)]
    for index, image in enumerate(images):
        image[30:60, 10 + 15 * index:18 + 15 * index] = 30
    assert reasons(chosen, images)[1:] == ['no motion'] * 3


def test_much_that_is_new_is_kept_though_the_camera_stands_still():
    images = [view(0) for _ in range(3)]
    images[1][10:30, 10:20] = 30
    images[2][:, 70:] = 250
    for least, expected in ((.2, ['', 'no motion', '']), (2., ['', 'no motion', 'no motion'])):
        chosen = chooser(min_motion=1., min_change=least)
        assert reasons(chosen, images) == expected


def test_another_place_is_motion():
    choices = chooser(min_motion=50.)
    choices.consider(view(0))
    assert choices.consider(view(700)).motion == 100
    assert choices.consider(np.ascontiguousarray(view(0)[:40])).motion == 100  # another size


def test_a_picture_too_plain_to_follow_is_left_to_novelty():
    plain = np.full((72, 96, 3), 90, np.uint8)
    plain[:, 48:] = 110
    assert reasons(chooser(min_motion=1.), [plain, plain]) == ['', '']
    assert reasons(chooser(min_motion=1., min_novelty=.02), [plain, plain]) == ['', 'seen before']


def test_sharpness_relative_to_the_stream():
    limits = {'min_sharpness': .35}
    sharp = [view(10 * at) for at in range(SHARPNESS_START)]
    blurred = cv2.GaussianBlur(view(60), (0, 0), 2)
    chosen = chooser(**limits)
    assert reasons(chosen, [*sharp, blurred, view(70)]) == [*[''] * len(sharp), 'blurred', '']
    # A wall with little texture is not blurred once the camera looks at it for a while.
    pale = [(view(at) * .3 + 80).astype(np.uint8) for at in range(100, 220)]
    found = reasons(chosen, pale)
    assert found[0] == 'blurred'
    assert set(found[80:]) == {''}
    assert reasons(chooser(min_sharpness=0.), [*sharp, blurred])[-1] == ''
    assert reasons(chooser(**limits), [blurred] * 8) == [''] * 8


def grey(level, clipped_rows=0, clipped=0):
    image = np.full((80, 100, 3), level, np.uint8)
    image[:clipped_rows] = clipped
    return image


@pytest.mark.parametrize(('image', 'limits', 'reason'), [
    (grey(30), {'min_brightness': 30.5}, 'too dark'),
    (grey(30), {'min_brightness': 29.5}, ''),
    (grey(200), {'max_brightness': 199.5}, 'overexposed'),
    (grey(200), {'max_brightness': 200.5}, ''),
    (grey(100, 40, 8), {'max_dark': .49}, 'too dark'),
    (grey(100, 40, 8), {'max_dark': .51}, ''),
    (grey(100, 40, 250), {'max_bright': .49}, 'overexposed'),
    (grey(100, 40, 250), {'max_bright': .51}, ''),
    (grey(100, 40, 120), {'min_contrast': 11.}, 'one colour'),
    (grey(100, 40, 120), {'min_contrast': 9.}, ''),
])
def test_exposure_and_contrast(image, limits, reason):
    choice = chooser(**limits).consider(image)
    assert choice.reason == reason
    # The message names the setting to change.
    assert bool(reason) == any(name in choice.measured for name in limits)


def test_novelty_against_everything_kept():
    chosen = chooser(min_novelty=.05)
    assert reasons(chosen, [view(at) for at in (0, 300, 600, 301, 0, 900)]) == [
        '', '', '', 'seen before', 'seen before', '']
    assert chosen.consider(view(300)).novelty == pytest.approx(0, abs=1e-5)
    assert reasons(chooser(min_novelty=0.), [view(0), view(0)]) == ['', '']


def test_more_frames_than_the_first_store_holds():
    chosen = chooser(min_novelty=.01)
    views = [view(12 * index) for index in range(150)]
    assert reasons(chosen, views) == [''] * 150
    assert set(reasons(chosen, [views[0], views[63], views[64], views[149]])) == {'seen before'}


def test_frames_of_an_earlier_recording_count():
    chosen = FrameChooser()
    chosen.remember(view(0)[..., 0], 5 * S)
    assert reasons(chosen, [view(0), view(0), view(300)], [5 * S + 1, 6 * S, 7 * S]) == [
        'too soon', 'no motion', '']


def test_a_frame_that_could_not_be_written_does_not_count():
    chosen = FrameChooser()
    chosen.forget_last()
    assert reasons(chosen, [view(0), view(300)]) == ['', '']
    chosen.forget_last()
    assert len(chosen) == 1
    assert reasons(chosen, [view(300), view(0)]) == ['', 'seen before']
