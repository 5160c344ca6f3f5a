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

"""Which recordings are refused, and that each refusal says what was measured and what to do."""

from dataclasses import fields, replace
import json

import cv2
import numpy as np
import pytest
from recording_scene import CAMERA, noisy, view

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.onsite.recording_check import (
    check_recording, CheckLimits, measure_recording, reasons_against, RecordingMeasures)

GOOD = RecordingMeasures(
    frames=100, unreadable=0, views=40, variation=.5, brightness=110., dark=.05, bright=.05,
    contrast=50., detail=.5)


def folder(path, images, suffix='jpg', camera=CAMERA, **meta):
    """Write pictures as an RGB-D folder."""
    (path / 'rgb').mkdir(parents=True)
    for index, image in enumerate(images):
        cv2.imwrite(str(path / 'rgb' / f'{index:06d}.{suffix}'), image[..., ::-1])
    (path / 'meta.json').write_text(json.dumps({**camera.to_dict(), **meta}))
    return path


@pytest.fixture(scope='module')
def drive(repository):
    """Return 24 pictures of the drive in demo/, half as large."""
    frames = [frame.image for frame in open_dataset(repository / 'demo' / 'drive.mcap',
                                                    read_depth=False)]
    return [cv2.resize(image, (320, 240), interpolation=cv2.INTER_AREA)
            for image in frames[::3]][:24]


DRIVEN = replace(CAMERA, width=320, height=240)


def test_a_drive_is_good(tmp_path, drive):
    assert check_recording(folder(tmp_path / 'd', drive, camera=DRIVEN)) == []


@pytest.mark.parametrize(('kind', 'change'), [
    ('too few frames', lambda images: images[:19]),
    ('one static view', lambda images: [noisy(images[0], 4, i) for i in range(len(images))]),
    ('too dark', lambda images: [image // 12 for image in images]),
    ('overexposed', lambda images: [
        np.clip(image.astype(int) * 4 + 60, 0, 255).astype(np.uint8) for image in images]),
    ('blurred', lambda images: [cv2.GaussianBlur(image, (0, 0), 4) for image in images]),
    ('blurred', lambda images: [
        noisy(cv2.GaussianBlur(image, (0, 0), 4), 2, i) for i, image in enumerate(images)]),
    ('one colour', lambda images: [noisy(image // 40 + 120, 2) for image in images]),
])
def test_degraded_drives_are_refused(tmp_path, drive, kind, change):
    reasons = check_recording(folder(tmp_path / 'd', change(drive), camera=DRIVEN))
    assert [reason.split(':')[0] for reason in reasons] == [kind]


def test_a_person_before_a_standing_camera_is_one_view(tmp_path, drive):
    images = [drive[0].copy() for _ in range(30)]
    for index, image in enumerate(images):
        image[60:220, 10 * index:10 * index + 50] = (20, 40, 60)
    measures = measure_recording(folder(tmp_path / 'd', images, camera=DRIVEN))
    assert measures.views > 5
    assert [reason.split(':')[0] for reason in reasons_against(measures, CheckLimits())] == [
        'one static view']


@pytest.mark.parametrize(('changes', 'reason', 'measured', 'remedy'), [
    ({'frames': 19}, 'too few frames', '19 readable, 20 are needed', 'record longer'),
    ({'views': 4}, 'one static view', '4 different views (5 are needed)', 'drive'),
    ({'variation': .02}, 'one static view', '0.020 (0.03 is needed)', 'drive'),
    ({'brightness': 19.}, 'too dark', '19 of 255', 'light'),
    ({'dark': .61}, 'too dark', '61%', 'light'),
    ({'brightness': 236.}, 'overexposed', '236', 'lower the exposure'),
    ({'bright': .41}, 'overexposed', '41%', 'lower the exposure'),
    ({'contrast': 5.9}, 'one colour', '5.9 grey levels', 'uncover'),
    ({'detail': .24}, 'blurred', '0.24', 'focus'),
])
def test_each_reason_says_what_was_measured_and_what_to_do(changes, reason, measured, remedy):
    assert reasons_against(GOOD, CheckLimits()) == []
    (text,) = reasons_against(replace(GOOD, **changes), CheckLimits())
    assert text.startswith(f'{reason}: ')
    assert measured in text
    assert remedy in text


@pytest.mark.parametrize('limit', [entry.name for entry in fields(CheckLimits)])
def test_every_limit_can_be_moved(limit):
    measure = {'min_frames': 'frames'}.get(limit, limit.partition('_')[2])
    value = getattr(GOOD, measure)
    step = 1 if limit.startswith('min') else -1
    tight = replace(CheckLimits(), **{limit: value + step * (1 if value > 1 else .01)})
    assert len(reasons_against(GOOD, tight)) == 1
    assert reasons_against(GOOD, replace(CheckLimits(), **{limit: value})) == []


def test_several_reasons_at_once():
    kinds = [reason.split(':')[0] for reason in reasons_against(
        replace(GOOD, frames=3, detail=.1, views=1), CheckLimits())]
    assert kinds == ['too few frames', 'blurred', 'one static view']
    # In the dark neither sharpness nor motion means anything.
    kinds = [reason.split(':')[0] for reason in reasons_against(
        replace(GOOD, brightness=5., detail=.1, views=1), CheckLimits())]
    assert kinds == ['too dark']


def test_measures_of_a_split_and_of_unreadable_frames(tmp_path):
    path = folder(tmp_path / 'd', [view(60 * index) for index in range(6)], 'png',
                  splits={'adapt': ['000000', '000001', '000002']})
    (path / 'rgb' / '000002.png').write_bytes(b'broken')
    whole, part = measure_recording(path), measure_recording(path, 'adapt')
    assert (whole.frames, whole.unreadable, whole.views) == (5, 1, 5)
    assert (part.frames, part.unreadable) == (2, 1)
    assert check_recording(path, limits=replace(
        CheckLimits(), min_frames=5, min_detail=0.)) == []


def test_long_recordings_are_sampled(tmp_path):
    path = folder(tmp_path / 'd', [view(4 * index) for index in range(230)])
    found = measure_recording(path)
    assert (found.frames, found.unreadable) == (230, 0)
    assert found.to_dict()['views'] == found.views > 20


def test_a_folder_without_readable_pictures(tmp_path):
    path = folder(tmp_path / 'd', [view(0)])
    (path / 'rgb' / '000000.jpg').write_bytes(b'')
    assert [reason.split(':')[0] for reason in check_recording(path)] == ['too few frames']


def test_intrinsics_can_be_given_and_no_folder_is_an_error(tmp_path):
    path = folder(tmp_path / 'd', [view(0)])
    (path / 'meta.json').write_text('{}')
    with pytest.raises(DatasetError, match='intrinsics'):
        check_recording(path)
    assert len(check_recording(path, intrinsics=CAMERA)) > 0
    with pytest.raises(DatasetError, match='no such folder'):
        check_recording(tmp_path / 'absent')


@pytest.mark.parametrize('name', [
    'd435_lab_floor', 'kinect1_7scenes_redkitchen', 'kinect1_nyu_cafe', 'kinect1_osd_tabletop',
    'kinect1_tum_fr1', 'kitti_odom_04', 'kitti_raw_0926', 'xtion_ist_a', 'xtion_ist_b'])
def test_recordings_of_real_cameras_are_good(shared_data, name):
    assert check_recording(shared_data / name, 'adapt') == []
