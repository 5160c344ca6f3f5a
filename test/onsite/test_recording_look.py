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

"""The measures of a picture, against numbers computed by hand."""

import cv2
import numpy as np
import pytest
from recording_scene import noisy, view

from mde_ros.onsite.recording_look import CELLS, distances, look_at


def test_brightness_and_clipping_by_hand():
    image = np.full((48, 64, 3), 100, np.uint8)
    image[:12] = 8       # a quarter black
    image[12:18] = 250   # an eighth white
    look = look_at(image)
    assert look.dark == .25
    assert look.bright == .125
    assert look.brightness == pytest.approx(8 / 4 + 250 / 8 + 100 * 5 / 8)
    image[:12], image[12:18] = 9, 249
    look = look_at(image)
    assert (look.dark, look.bright) == (0, 0)


def test_contrast_leaves_fine_noise_out():
    flat = np.full((480, 640, 3), 120, np.uint8)
    flat[:, 320:] = 160
    assert look_at(flat).contrast == pytest.approx(20, abs=.5)
    # 64 pixels of noise make one of those the contrast is measured on.
    assert look_at(noisy(np.full_like(flat, 120), 16)).contrast == pytest.approx(2, abs=1)


def test_blur_lowers_sharpness_and_detail_and_noise_does_not_hide_it():
    sharp = cv2.resize(view(0), (640, 480), interpolation=cv2.INTER_NEAREST)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 8)
    a, b, c = look_at(sharp), look_at(blurred), look_at(noisy(blurred, 3))
    assert b.sharpness < .1 * a.sharpness
    assert a.detail > .25 > c.detail > b.detail


def test_detail_does_not_depend_on_contrast():
    image = view(100).astype(np.float32)
    half = (image / 2 + 60).astype(np.uint8)
    assert look_at(half).detail == pytest.approx(look_at(view(100)).detail, rel=.05)
    assert look_at(half).sharpness == pytest.approx(look_at(view(100)).sharpness / 4, rel=.05)


def test_large_pictures_are_measured_at_320_pixels():
    large = cv2.resize(view(0), (1280, 960))
    assert look_at(large).thumbnail.shape == (120, 160)
    assert look_at(view(0)).thumbnail.shape == (36, 48)
    assert look_at(np.zeros((1, 1, 3), np.uint8)).thumbnail.shape == (1, 1)


def test_grey_pictures():
    assert look_at(view(5)[..., 0]).brightness == look_at(view(5)).brightness


def test_descriptors_do_not_change_with_exposure_and_noise():
    one = look_at(view(0)).descriptor
    assert one.shape == (CELLS[0] * CELLS[1],)
    assert float(np.linalg.norm(one)) == pytest.approx(1, abs=1e-5)
    assert float(one.sum()) == pytest.approx(0, abs=1e-4)
    darker = look_at((view(0) * .5).astype(np.uint8)).descriptor
    others = np.stack([one, darker, look_at(noisy(view(0), 5)).descriptor,
                       look_at(view(500)).descriptor])
    found = distances(one, others)
    assert found[0] == pytest.approx(0, abs=1e-5)
    assert found[1:3].max() < .02
    assert found[3] > .5


def test_descriptors_by_hand():
    # Left half dark, right half bright; and the other way round: correlation -1.
    image = np.zeros((72, 96, 3), np.uint8)
    image[:, 48:] = 200
    mirrored = np.ascontiguousarray(image[:, ::-1])
    one, other = look_at(image).descriptor, look_at(mirrored).descriptor
    assert distances(one, other[None])[0] == pytest.approx(2, abs=1e-5)
    assert one.reshape(18, 24)[0, [0, 23]] == pytest.approx([-1 / 432 ** .5, 1 / 432 ** .5])


def test_one_colour_is_no_view():
    look = look_at(np.full((72, 96, 3), 77, np.uint8))
    assert not look.descriptor.any()
    assert (look.contrast, look.detail, look.sharpness) == (0, 0, 0)
