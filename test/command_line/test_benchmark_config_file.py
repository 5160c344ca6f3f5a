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

"""``mde benchmark FILE.yaml``: virtual KITTI to KITTI as their downloads lay them out, tiny."""

from collections.abc import Callable
import json
from pathlib import Path
import sys

import cv2
import numpy as np
import pytest
import torch
import yaml

# The writers of the readers' own tests.
sys.path.append(str(Path(__file__).resolve().parents[1] / 'datasets'))

from kitti_fixture import (
    CAMERA, DATE, laser_points, P_RECT, write_calibration, write_image, write_points)

from mde_ros.command_line.main import main
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.datasets.roads.kitti import Kitti
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import load_weights
from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.protocols import get_protocol
from mde_ros.network.depth_network import NetworkConfig, SIZES

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
OTHER = '2011_09_28'
ADAPT = f'{DATE}_drive_0002_sync'
SCORE = (f'{DATE}_drive_0009_sync', f'{OTHER}_drive_0001_sync')
CONFIG = {
    'name': 'mine', 'source': 'vkitti1:${VK}?variant=clone&partial=yes',
    'target': 'kitti:${KITTI}?split=${LISTS}/adapt.txt',
    'score': 'kitti:${KITTI}?split=${LISTS}/score.txt&truth=velodyne&depth=z',
    'protocol': 'eigen-80m', 'data': {'KITTI': 'folder with 2011_09_26/'}}


def write_source(root: Path) -> None:
    """Write two frames of virtual KITTI 1.3.1: 5 m at the bottom, 45 m at the top."""
    columns = np.linspace(0, 255, 1242)[None, :, None]
    image = np.broadcast_to(columns, (375, 1242, 3)).astype(np.uint8)
    depth = np.broadcast_to(np.linspace(4500, 500, 375)[:, None], (375, 1242)).astype(np.uint16)
    for number in range(2):
        for part, array in (('vkitti_1.3.1_rgb', image + number), ('vkitti_1.3.1_depthgt', depth)):
            folder = root / part / '0001' / 'clone'
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f'{number:05d}.png'), array)


def write_target(root: Path, lists: Path) -> None:
    """Write eight frames of one drive without laser points, and two each of two to score."""
    rng = np.random.default_rng(0)
    write_calibration(root)
    # Days of KITTI differ by some pixels.
    write_calibration(root, OTHER, P_RECT, (58, 24))
    lists.mkdir()
    names: dict[str, list[str]] = {'adapt': [], 'score': []}
    for role, drive, count in (('adapt', ADAPT, 8), *(('score', drive, 2) for drive in SCORE)):
        width = 58 if drive.startswith(OTHER) else CAMERA.width
        for number in range(count):
            write_image(root, rng.integers(0, 255, (24, width, 3), np.uint8), number, drive)
            names[role].append(f'{drive[:10]}/{drive} {number} l')
            if role == 'score':
                depth = np.full((24, width), np.nan)
                depth[6:22:2, 5:55:2] = rng.uniform(5, 90, (8, 25))
                write_points(root, laser_points(depth), number, drive)
    for role, lines in names.items():
        (lists / f'{role}.txt').write_text('\n'.join(lines) + '\n')


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the configuration with some of its fields changed."""
    write_source(tmp_path / 'vk')
    write_target(tmp_path / 'kitti', tmp_path / 'lists')
    monkeypatch.setitem(SIZES, 'tiny', TINY)
    monkeypatch.setenv('LISTS', str(tmp_path / 'lists'))
    monkeypatch.delenv('KITTI', raising=False)
    torch.set_num_threads(1)

    def words(*more: str, given: tuple[str, ...] = ('VK=vk', 'KITTI=kitti'),
              **changes: str) -> int:
        path = tmp_path / 'mine.yaml'
        path.write_text(yaml.safe_dump({**CONFIG, **changes}))
        sets = [word for one in given for word in ('--set', one.replace('=', f'={tmp_path}/'))]
        return main(['benchmark', str(path), *sets, '--network', 'tiny', '--batch', '2',
                     '--warm-steps', '2', '--steps', '2', '--workers', '0', '--threads', '1',
                     '--out', str(tmp_path / 'out'), '--methods', 'source_only', 'adabn', *more])
    return words


def test_trained_scored_under_the_protocol_and_gone_on_with(
        run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    labels: list[str] = []
    original = Kitti._read_depth

    def note(source: Kitti, which: object, camera: object) -> object:
        labels.append(which.drive)  # type: ignore[attr-defined]
        return original(source, which, camera)  # type: ignore[arg-type]

    monkeypatch.setattr(Kitti, '_read_depth', note)
    assert run() == 0
    shown, aside = capsys.readouterr()
    assert 'mine: kitti, scored at input' in shown and 'protocol eigen-80m (raw)' in shown
    assert 'kitti adabn, seed 0: 2 steps' in aside
    assert set(labels) == set(SCORE)
    out = tmp_path / 'out' / 'quick' / 'mine'
    report = json.loads((out / 'results.json').read_text())
    rows = report['rows']
    assert [row['method'] for row in rows] == ['source_only', 'adabn']
    protocol = get_protocol('eigen-80m')
    assert all(row['protocol'] == protocol.to_dict() for row in rows)
    assert rows[0]['range'] == [.001, 80.] and rows[0]['frames']['scored'] == 4
    assert report['settings']['max_depth'] == 80
    config = json.loads((out / 'source' / 'warm' / 'seed0' / 'training.json').read_text())
    assert config['config']['max_depth'] == 80
    assert config['source'] == [{'name': 'vkitti1:vk?variant=clone&partial=yes', 'split': None,
                                 'frames': 2}]

    # The very numbers of mde evaluate --protocol.
    score = open_dataset(f'kitti:{tmp_path}/kitti?split={tmp_path}/lists/score.txt')
    network = load_weights(out / 'kitti' / 'adabn' / 'seed0' / 'weights')
    wanted = evaluate(score, DepthEstimator(network), protocol=protocol).to_dict()
    assert rows[1]['raw'] == wanted['raw']
    other = evaluate(score, DepthEstimator(network), protocol=get_protocol('eigencrop-80m'))
    assert rows[1]['raw'] != other.to_dict()['raw']
    for name in ('errors.png', 'pictures_kitti.jpg'):
        assert cv2.imread(str(out / name)) is not None

    assert run() == 0
    assert '2 steps' not in capsys.readouterr().err
    assert json.loads((out / 'results.json').read_text())['rows'] == rows
    for name, field in (('eigencrop-80m', 'protocol.crop'), ('eigen-50m', 'settings.max_depth')):
        assert run(protocol=name) == 2
        assert field in capsys.readouterr().err
    assert run('--steps', '3') == 2
    assert '(settings.steps)' in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'changes', 'message'), [
    ((), {'given': ('VK=vk',)}, 'KITTI is not given: the folder with 2011_09_26/; set KITTI='),
    (('--data', '.'), {}, '--data does not go with '),
    (('--set', 'HOUSE=x'), {}, '--set HOUSE: '),
    (('--set', 'VK'), {}, "--set 'VK': expected NAME=FOLDER"),
    (('--targets', 'moon'), {}, '--targets moon: mine has kitti'),
    ((), {'name': '../mine'}, "'name': '../mine': it names a folder of results"),
    ((), {'name': 'fog'}, "'name': 'fog': it names a folder of results"),
    ((), {'protocol': 'mine'}, "protocol 'mine': there are: "),
    ((), {'given': ('VK=nowhere', 'KITTI=kitti')}, 'nowhere: no such file or folder'),
    ((), {'target': 'kitti:${KITTI}?split=${LISTS}/both.txt'},
     '1 of the 4 scored frames are trained on as well'),
    ((), {'source': 'kitti:${KITTI}?split=${LISTS}/both.txt', 'given': ('KITTI=kitti',)},
     '1 of the 4 scored frames are trained on as well'),
    ((), {'score': '${VK}/bare', 'protocol': 'plain'}, "mine: 'score': "),
])
def test_mistakes_are_named_before_anything_is_trained(
        run: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str],
        words: tuple[str, ...], changes: dict[str, str], message: str) -> None:
    lists = tmp_path / 'lists'
    adapt, score = ((lists / f'{role}.txt').read_text() for role in ('adapt', 'score'))
    (lists / 'both.txt').write_text(adapt + score.splitlines()[0] + '\n')
    bare = tmp_path / 'vk' / 'bare' / 'rgb'
    bare.mkdir(parents=True)
    cv2.imwrite(str(bare / '0.png'), np.zeros((24, 60, 3), np.uint8))
    (bare.parent / 'meta.json').write_text(json.dumps({**CAMERA.to_dict(), 'camera': 'test'}))
    assert run(*words, **changes) == 2
    assert message in ' '.join(capsys.readouterr().err.split())
    assert not (tmp_path / 'out').exists()


def test_neither_a_scenario_nor_a_file(tmp_path: Path,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    for words, message in ((['snow'], "no benchmark 'snow'; there are: cross_camera"),
                           ([str(tmp_path / 'gone.yaml')], 'gone.yaml: not readable as YAML'),
                           (['fog', '--set', 'A=b'], '--set does not go with fog')):
        assert main(['benchmark', *words]) == 2
        assert message in capsys.readouterr().err
