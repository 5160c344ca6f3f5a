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

"""Samples by number, and their split over processes."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import collate, SharedBatches, TrainingData
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter

CONFIG = TrainConfig(steps=6, batch=4, sizes=((.5, 32, 32), (.5, 64, 48)), seed=2)


def constant_folder(path: Path, metres: float, count: int, depth: bool = True) -> RgbdFolder:
    """Write a folder of black frames at one depth."""
    camera = Intrinsics(64, 48, 50., 50., 31.5, 23.5)
    with RgbdFolderWriter(path, camera, camera='test', licence='none', source='test') as writer:
        for number in range(count):
            writer.write(Frame(
                f'{number:03d}', 0, np.zeros((48, 64, 3), np.uint8), camera,
                np.full((48, 64), metres, np.float32) if depth else None))
    return RgbdFolder(path)


def test_a_sample_is_a_function_of_seed_and_number(rgbd_folder: Path) -> None:
    data = TrainingData([RgbdFolder(rgbd_folder)], CONFIG)
    other = TrainingData([RgbdFolder(rgbd_folder)], CONFIG)
    for number in (3, 17, 3):
        image, label, *_ = data[number]
        same_image, same_label, *_ = other[number]
        assert torch.equal(image, same_image)
        assert torch.equal(label.nan_to_num(99), same_label.nan_to_num(99))
    assert not torch.equal(data[16][0], data[17][0])
    seeded = TrainingData([RgbdFolder(rgbd_folder)], TrainConfig(
        steps=6, batch=4, sizes=CONFIG.sizes, seed=3))
    assert not torch.equal(data[17][0], seeded[17][0])


def test_shapes_follow_the_stage_of_the_step(rgbd_folder: Path) -> None:
    data = TrainingData([RgbdFolder(rgbd_folder)], CONFIG)
    assert len(data) == 24
    for number, size in ((0, (32, 32)), (11, (32, 32)), (12, (48, 64)), (23, (48, 64))):
        image, label, *_ = data[number]
        assert image.shape == (3, *size) and image.dtype == torch.uint8
        assert label.shape == (1, size[0] // 2, size[1] // 2) and label.dtype == torch.float32


@pytest.mark.parametrize('workers', [0, 1])
def test_data_processes_make_the_same_samples(rgbd_folder: Path, workers: int) -> None:
    data = TrainingData([RgbdFolder(rgbd_folder)], CONFIG)
    plan = SharedBatches(CONFIG, 2)
    steps = 0
    for step, (images, labels, *_) in enumerate(DataLoader(
            data, batch_sampler=plan, num_workers=workers, collate_fn=collate), 2):
        for offset in range(4):
            image, label, *_ = data[step * 4 + offset]
            assert torch.equal(images[offset], image)
            assert torch.equal(labels[offset].nan_to_num(99), label.nan_to_num(99))
        steps += 1
    assert steps == len(plan) == 4


def depths(data: TrainingData, count: int) -> np.ndarray:
    """Return the metres of samples of constant folders, told from their ratios."""
    return np.array([round(float(data._frame(np.random.default_rng(n)).depth[0, 0]), 3)
                     for n in range(count)])


def test_folders_are_drawn_by_their_size_or_by_weights(tmp_path: Path) -> None:
    near, far = constant_folder(tmp_path / 'a', 1., 9), constant_folder(tmp_path / 'b', 4., 3)
    drawn = depths(TrainingData([near, far], CONFIG), 400)
    assert (drawn == 4).mean() == pytest.approx(.25, abs=.07)
    drawn = depths(TrainingData([near, far], CONFIG, [1, 4]), 400)
    assert (drawn == 4).mean() == pytest.approx(.8, abs=.07)
    assert (depths(TrainingData([near, far], CONFIG, [1, 0]), 50) == 1).all()


def test_every_frame_is_drawn(tmp_path: Path) -> None:
    data = TrainingData([constant_folder(tmp_path / 'a', 1., 5)], CONFIG)
    names = {data._frame(np.random.default_rng(n)).name for n in range(60)}
    assert names == {f'{n:03d}' for n in range(5)}


def test_bad_frames_are_passed_over_and_counted(
        rgbd_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (rgbd_folder / 'rgb' / '000002.png').write_bytes(b'no image')
    (rgbd_folder / 'depth' / '000004.png').unlink()
    cv2.imwrite(str(rgbd_folder / 'depth' / '000005.png'), np.zeros((48, 64), np.uint16))
    source = RgbdFolder(rgbd_folder)
    data = TrainingData([source], CONFIG)
    names = {data._frame(np.random.default_rng(n)).name for n in range(80)}
    assert names == {'000000', '000001', '000003'}
    assert sorted(source.skipped.values()) == [1, 1]
    # Each is reported once, not every time it is drawn.
    assert caplog.text.count('000002.png') == caplog.text.count('000004.png') == 1


def test_nothing_but_bad_frames_is_an_error(rgbd_folder: Path) -> None:
    for path in (rgbd_folder / 'rgb').iterdir():
        path.write_bytes(b'no image')
    data = TrainingData([RgbdFolder(rgbd_folder)], CONFIG)
    with pytest.raises(TrainingError, match='20 frames in a row of tiny are unreadable'):
        data[0]


def test_sources_that_cannot_be_trained_on(tmp_path: Path, rgbd_folder: Path) -> None:
    with pytest.raises(TrainingError, match='give --source'):
        TrainingData([], CONFIG)
    unlabelled = constant_folder(tmp_path / 'plain', 1., 2, depth=False)
    with pytest.raises(TrainingError, match='plain: has no depth/'):
        TrainingData([RgbdFolder(rgbd_folder), unlabelled], CONFIG)


@pytest.mark.parametrize('weights', [[1.], [1., -1.], [0., 0.], [1., float('nan')], [1, 2, 3]])
def test_wrong_weights(rgbd_folder: Path, weights: list[float]) -> None:
    with pytest.raises(TrainingError, match='one positive number a source'):
        TrainingData([RgbdFolder(rgbd_folder)] * 2, CONFIG, weights)


def test_a_split_is_kept_to(rgbd_folder: Path) -> None:
    meta = json.loads((rgbd_folder / 'meta.json').read_text())
    data = TrainingData([RgbdFolder(rgbd_folder, 'score')], CONFIG)
    names = {data._frame(np.random.default_rng(n)).name for n in range(40)}
    assert names == set(meta['splits']['score'])


def test_processes_share_the_global_batch() -> None:
    whole = list(SharedBatches(CONFIG, 0))
    assert whole[0] == [0, 1, 2, 3] and whole[5] == [20, 21, 22, 23] and len(whole) == 6
    for processes in (2, 4):
        parts = [list(SharedBatches(CONFIG, 0, rank, processes)) for rank in range(processes)]
        assert [[n for part in step for n in part] for step in zip(*parts)] == whole


def test_a_resumed_plan_is_the_rest_of_the_whole() -> None:
    whole = list(SharedBatches(CONFIG, 0))
    assert list(SharedBatches(CONFIG, 4)) == whole[4:]
    assert len(SharedBatches(CONFIG, 4)) == 2
    assert len(SharedBatches(CONFIG, 9)) == 0 and list(SharedBatches(CONFIG, 9)) == []


def test_a_batch_that_cannot_be_shared() -> None:
    with pytest.raises(TrainingError, match='batch = 4: must be a multiple of the 3 processes'):
        SharedBatches(CONFIG, 0, 0, 3)


def test_targets_come_without_labels_and_leave_the_source_alone(rgbd_folder: Path,
                                                                tmp_path: Path) -> None:
    constant_folder(tmp_path / 'target', 3., 8)
    target = RgbdFolder(tmp_path / 'target', read_depth=False)
    plain = TrainingData([RgbdFolder(rgbd_folder)], CONFIG)
    data = TrainingData([RgbdFolder(rgbd_folder)], CONFIG, targets=[target])
    # Labels that are there by mistake: reading one would fail now.
    for path in (tmp_path / 'target' / 'depth').iterdir():
        path.write_bytes(b'no depth')
    batch = collate([data[number] for number in range(4)])
    assert batch.target.shape == batch.image.shape == (4, 3, 32, 32)
    assert not batch.target.any()  # the target's pictures are black
    assert not target.skipped
    alone = collate([plain[number] for number in range(4)])
    assert torch.equal(alone.image, batch.image)
    assert alone.target.shape == (0, 3, 32, 32)
    assert batch.focal is not None and batch.focal.shape == (4,)


def test_bad_targets_are_named(rgbd_folder: Path, tmp_path: Path) -> None:
    source = RgbdFolder(rgbd_folder)
    constant_folder(tmp_path / 'few', 3., 7)
    with pytest.raises(TrainingError, match='few: 7 frames of the target where at least 8'):
        TrainingData([source], CONFIG, targets=[RgbdFolder(tmp_path / 'few', read_depth=False)])
    constant_folder(tmp_path / 'torn', 3., 8)
    torn = RgbdFolder(tmp_path / 'torn', read_depth=False)
    data = TrainingData([source], CONFIG, targets=[torn])
    for path in (tmp_path / 'torn' / 'rgb').iterdir():
        path.write_bytes(b'no image')
    with pytest.raises(TrainingError, match=r'of torn are unreadable \(corrupt image\)'):
        data[0]
    with pytest.raises(ValueError, match='read_depth=False'):
        TrainingData([source], CONFIG, targets=[RgbdFolder(tmp_path / 'few')])
