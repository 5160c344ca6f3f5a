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

"""``mde train`` from folders to weights, killed and resumed, alone and with others."""

from collections.abc import Callable
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time
from typing import Any

from lightning_fabric import Fabric
import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.nn.utils import parameters_to_vector

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.history import read_history
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import TrainingData
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.command_line import train as module
from mde_ros.command_line.main import main
from mde_ros.command_line.train import help_of, open_fabric, open_source
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.weights import load_card, load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
OPTIONS = ['--batch', '2', '--sizes', '32x32:0.5,64x48:0.5', '--warm-up', '2', '--precision',
           '32-true', '--workers', '0', '--threads', '1', '--checkpoint-every', '4']
Command = Callable[..., list[str]]


@pytest.fixture
def command(rgbd_folder: Path, tmp_path: Path) -> Command:
    """Return a function that gives the words of a tiny training into a folder of tmp_path."""
    torch.manual_seed(4)
    save_weights(tmp_path / 'start', DepthNetwork(TINY), WeightCard(
        'start', TINY, 1, notices=['ImageNet notice']))

    def words(out: str, *more: str, steps: int = 4) -> list[str]:
        return ['train', '--source', f'{rgbd_folder}:adapt', '--out', str(tmp_path / out),
                '--weights', str(tmp_path / 'start.safetensors'), '--steps', str(steps),
                *OPTIONS, *more]
    return words


def make_target(path: Path) -> None:
    """Write eight unlabelled pictures of noise."""
    camera = Intrinsics(64, 48, 60, 60, 31.5, 23.5)
    rng = np.random.default_rng(0)
    with RgbdFolderWriter(path, camera, camera='test', licence='none', source='test') as writer:
        for number in range(8):
            writer.write(Frame(f'{number}', 0, rng.integers(
                0, 255, (48, 64, 3), dtype=np.uint8), camera))


def test_from_folder_to_weights(command: Command, tmp_path: Path, rgbd_folder: Path,
                                capsys: pytest.CaptureFixture[str]) -> None:
    report_path = tmp_path / 'report.json'
    assert main(command(
        'run', '--validation', f'{rgbd_folder}:score', '--validate-every', '2', '--name', 'site',
        '--notice', 'another notice', '--min-depth', '.3', '--max-depth', '9',
        '--json', str(report_path))) == 0
    network, card = load_weights(tmp_path / 'run' / 'weights.safetensors')
    assert network.config == TINY
    assert card.name == 'site' and card.model_id in capsys.readouterr().out
    assert card.input_area == 64 * 48 and card.depth_range == (.3, 9.)
    assert card.data == [{'name': 'tiny', 'frames': 4, 'camera': 'test', 'licence': 'Apache-2.0',
                          'source': 'made by test/conftest.py'}]
    assert card.notices == ['another notice', 'ImageNet notice']
    assert card.training['method'] == 'source_only'
    assert TrainConfig.from_dict(card.training['config']).steps == 4
    report: dict[str, Any] = json.loads(report_path.read_text())
    assert [r['step'] for r in report['history']] == [0, 1, 2, 3]
    assert [r['step'] for r in report['history'] if 'validation/abs_rel' in r] == [1, 3]
    assert report['seconds'] > 0 and report['peak_memory_mb'] > 50
    # The last validation is that of the weights that were written.
    assert report['validation'] == card.metrics
    assert card.metrics['tiny']['abs_rel'] == report['history'][-1]['validation/abs_rel']
    frame = RgbdFolder(rgbd_folder)[0]
    estimate = DepthEstimator((network, card)).estimate(frame.image, frame.intrinsics)
    assert estimate.depth.shape == (48, 64)


def run_until_step(words: list[str], history: Path, step: int) -> None:
    """Run mde in a process of its own and kill it with -9 once it has written this step."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'mde_ros.command_line.main', *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 90
        while len(read_history(history)) < step:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(.01)
    finally:
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_killed_and_started_again_as_if_nothing_had_happened(command: Command,
                                                             tmp_path: Path) -> None:
    assert main(command('whole', steps=30)) == 0
    words = command('killed', '--workers', '1', steps=30)
    run_until_step(words, tmp_path / 'killed' / 'history.jsonl', 7)
    seen = read_history(tmp_path / 'killed' / 'history.jsonl')
    assert 7 <= len(seen) < 30
    assert not (tmp_path / 'killed' / 'weights.safetensors').exists()
    assert main(words) == 0
    whole, killed = (read_history(tmp_path / name / 'history.jsonl')
                     for name in ('whole', 'killed'))
    assert [r['step'] for r in killed] == list(range(30))
    assert killed == whole
    assert load_card(tmp_path / 'killed' / 'weights').sha256 == load_card(
        tmp_path / 'whole' / 'weights').sha256


@pytest.mark.parametrize('method', ['source_only', 'lfda'])
def test_two_processes_are_one_with_the_same_batch(
        command: Command, tmp_path: Path, rgbd_folder: Path, method: str,
        monkeypatch: pytest.MonkeyPatch) -> None:
    words = ['--batch', '4', '--sizes', '64x48', '--method', method, '--learning-rate', '1e-5',
             '--average', '0']
    if method != 'source_only':
        make_target(tmp_path / 'target')
        words += ['--target', str(tmp_path / 'target')]
    assert main(command('one', *words, steps=3)) == 0
    subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
         '-m', 'mde_ros.command_line.main', *command('two', *words, steps=3)],
        check=True, timeout=110, capture_output=True, env={**os.environ, 'OMP_NUM_THREADS': '1'})
    one, two = (read_history(tmp_path / out / 'history.jsonl') for out in ('one', 'two'))
    assert [record['step'] for record in two] == [0, 1, 2]
    # Adam's first steps magnify rounding; the generator has a learning rate of its own.
    tolerance = 1e-3 if method == 'source_only' else 1e-2
    for ours, theirs in zip(one, two):
        for name, value in ours.items():
            if name != 'discriminator/accuracy':  # a count: one logit near 0 may fall either way
                assert theirs[name] == pytest.approx(value, abs=1e-4, rel=tolerance), name
    # At this learning rate the losses would hardly show wrong gradients; the updates do.
    start, *ends = (parameters_to_vector(load_weights(tmp_path / path)[0].parameters())
                    for path in ('start', 'one/weights', 'two/weights'))
    ours, theirs = (end - start for end in ends)
    assert ours.norm() > 1e-4
    assert functional.cosine_similarity(ours, theirs, 0) > .98


def test_devices_that_are_not_there() -> None:
    assert isinstance(open_fabric('cpu', TrainConfig()), Fabric)
    with pytest.raises(TrainingError, match=r"--device 'toaster' cannot be used: ") as caught:
        open_fabric('toaster', TrainConfig())
    assert '\n' not in str(caught.value)


def test_the_encoder_is_started_on_pictures_of_the_sources(
        rgbd_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def start(encoder: torch.nn.Module, path: str, images: torch.Tensor) -> str:
        seen.append((path, images))
        return 'started'

    monkeypatch.setattr(module, 'start_encoder', start)
    monkeypatch.setitem(module.SIZES, 'small', TINY)
    (rgbd_folder / 'rgb' / '000003.png').write_bytes(b'no image')
    assert main(['train', '--source', str(rgbd_folder), '--out', str(tmp_path / 'run'),
                 '--network', 'small', '--encoder-start', 'file.npz', '--steps', '1',
                 *OPTIONS]) == 0
    path, images = seen[0]
    assert path == 'file.npz'
    assert 20 <= len(images) < 48 and images.shape[1:] == (3, 32, 32)
    assert -1 <= images.min() < -.5 and .5 < images.max() <= 1
    card = load_card(tmp_path / 'run' / 'weights')
    assert card.notices == ['started'] and card.training['start'] == 'file.npz'


def test_the_seed_decides(rgbd_folder: Path, tmp_path: Path,
                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.SIZES, 'small', TINY)
    hashes = []
    for name, seed in (('a', '1'), ('b', '1'), ('c', '2')):
        assert main(['train', '--source', str(rgbd_folder), '--out', str(tmp_path / name),
                     '--network', 'small', '--seed', seed, '--steps', '1', *OPTIONS]) == 0
        hashes.append(load_card(tmp_path / name / 'weights').sha256)
    assert hashes[0] == hashes[1] != hashes[2]


def failure(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """Return the one line that a failing command prints."""
    capsys.readouterr()
    assert main(words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if 'error:' in line]
    assert len(lines) == 1 and lines[0].startswith('mde train: error: ')
    return lines[0]


def test_mistakes_are_named(command: Command, tmp_path: Path, rgbd_folder: Path,
                            capsys: pytest.CaptureFixture[str]) -> None:
    base = command('run')
    for more, words in (
            (['--source', str(tmp_path / 'none')], 'none: no such folder'),
            (['--source', f'{rgbd_folder}:night'], "no split 'night'; there are: adapt, score"),
            (['--weights', str(tmp_path / 'none')], 'none.json: no such weight card'),
            (['--device', 'toaster'], "--device 'toaster' cannot be used"),
            (['--batch', '0'], 'batch = 0: must be at least 1'),
            (['--sizes', '64x48:0.5'], 'the shares must add up to 1'),
            (['--source-weight', '1', '2'], 'one positive number a source'),
            (['--validation', str(tmp_path / 'none')], 'none: no such folder')):
        assert words in failure(capsys, [*base, *more])


def test_other_settings_in_the_same_folder(command: Command,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command('run', steps=1)) == 0
    assert 'other settings (batch, steps)' in failure(
        capsys, command('run', '--batch', '4', steps=2))


def test_sources_with_and_without_splits(rgbd_folder: Path, tmp_path: Path) -> None:
    assert len(open_source(str(rgbd_folder))) == 6
    assert open_source(f'{rgbd_folder}:score').split == 'score'
    colon = tmp_path / 'a:b'
    colon.mkdir()
    rgbd_folder.rename(colon / 'tiny')
    assert len(open_source(str(colon / 'tiny'))) == 6
    (colon / 'tiny').rename(tmp_path / '12:30')
    assert len(open_source(str(tmp_path / '12:30'))) == 6
    with pytest.raises(DatasetError):
        open_source(f'{tmp_path}/nowhere:score')


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert help_of('clip') == 'largest norm of the gradient'
    for field in module.OPTIONS:
        assert help_of(field.name) != field.name
    with pytest.raises(SystemExit):
        main(['train', '--help'])
    text = ' '.join(capsys.readouterr().out.split())
    assert 'decay of the weight average (EMA) that is kept as the result (default: 0.998)' in text


def test_frames_without_depth_do_not_start_an_encoder(rgbd_folder: Path) -> None:
    for path in (rgbd_folder / 'rgb').iterdir():
        path.write_bytes(b'no image')
    source = RgbdFolder(rgbd_folder)
    with pytest.raises(TrainingError, match='tiny: no readable labelled frame'):
        module._first_images(TrainingData([source], TrainConfig()), [source])
    assert np.sum(list(source.skipped.values())) == 6


def test_methods_with_and_without_a_target(
        command: Command, tmp_path: Path, rgbd_folder: Path,
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('mde_ros.adaptation.training_data.SMALLEST_TARGET', 2)
    sizes = ('--sizes', '64x48', '--target', f'{rgbd_folder}:score')
    assert main(command('bn', *sizes, '--method', 'adabn')) == 0
    assert load_card(tmp_path / 'bn' / 'weights').training['method'] == 'adabn'
    for words, reason in ((('--method', 'lfda'), 'method lfda needs a target: give --target'),
                          (sizes, 'method source_only uses no target')):
        assert main(command('none', *words)) == 2
        assert reason in capsys.readouterr().err
