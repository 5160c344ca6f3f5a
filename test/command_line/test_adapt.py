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

"""``mde adapt``: killed with -9 and gone on with, stopped by SIGTERM, refused, its options."""

from collections.abc import Callable
from dataclasses import fields
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.adaptation.history import read_history
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.command_line import adapt as module
from mde_ros.command_line.adapt import help_of, Stop
from mde_ros.command_line.main import main
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder_writer import RgbdFolderWriter
from mde_ros.estimation.profile import load_profile
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig
from mde_ros.onsite.adapt_report import AdaptReport
from mde_ros.onsite.adapt_settings import AdaptSettings
from mde_ros.onsite.source_replay import Replay

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)
Command = Callable[..., list[str]]


def write_frames(path: Path, count: int, depth: bool) -> None:
    """Write pictures of blobs, with or without depth."""
    camera = Intrinsics(64, 48, 60, 60, 31.5, 23.5)
    rng = np.random.default_rng(count)
    with RgbdFolderWriter(path, camera, camera='test', licence='none', source='test',
                          image_format='png') as writer:
        for number in range(count):
            small = rng.integers(30, 225, (12, 16, 3), dtype=np.uint8)
            writer.write(Frame(f'{number:03d}', 1 + number, np.asarray(cv2.resize(
                small, (64, 48), interpolation=cv2.INTER_NEAREST)), camera,
                np.full((48, 64), 2., np.float32) if depth else None))


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Return a function that gives the words of a tiny adaptation into a folder of tmp_path."""
    torch.manual_seed(4)
    save_weights(tmp_path / 'start', DepthNetwork(TINY), WeightCard('start', TINY, 48 * 64))
    write_frames(tmp_path / 'recording', 25, False)
    write_frames(tmp_path / 'source', 20, True)

    def words(out: str, *more: str, steps: int = 4) -> list[str]:
        return ['adapt', '--weights', str(tmp_path / 'start.safetensors'), '--target',
                str(tmp_path / 'recording'), '--source', str(tmp_path / 'source'), '--out',
                str(tmp_path / out), '--steps', str(steps), '--batch', '2', '--sizes',
                '32x32:0.5,64x48:0.5', '--precision', '32-true', '--check-frames', '4',
                '--checkpoint-every', '4', '--source-rise', '1', '--force', *more]
    return words


def start(words: list[str], history: Path, step: int) -> subprocess.Popen[str]:
    """Start mde in a process of its own and return it once it has written this step."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'mde_ros.command_line.main', *words],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 90
    while len(read_history(history)) < step:
        assert process.poll() is None and time.monotonic() < end, process.communicate()[1]
        time.sleep(.01)
    return process


def same(one: Path, other: Path) -> bool:
    """Return whether two profiles hold the same, bit for bit."""
    a, b = (load_profile(path / 'profile')[0] for path in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_killed_and_started_again_as_if_nothing_had_happened(command: Command,
                                                             tmp_path: Path) -> None:
    assert main(command('whole', steps=40)) == 0
    words = command('killed', steps=40)
    history = tmp_path / 'killed' / 'run' / 'history.jsonl'
    process = start(words, history, 7)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL and len(read_history(history)) < 40
    assert not (tmp_path / 'killed' / 'report.json').exists()
    assert main(words) == 0
    assert read_history(history) == read_history(tmp_path / 'whole' / 'run' / 'history.jsonl')
    assert same(tmp_path / 'whole', tmp_path / 'killed')
    reports = [json.loads((tmp_path / name / 'report.json').read_text())
               for name in ('whole', 'killed')]
    assert reports[0]['why'] == reports[1]['why']
    assert reports[0]['check'] == reports[1]['check']


def test_sigterm_ends_at_the_next_step_with_a_checkpoint(command: Command,
                                                         tmp_path: Path) -> None:
    words = command('stopped', '--checkpoint-every', '100000', steps=100_000)
    process = start(words, tmp_path / 'stopped' / 'run' / 'history.jsonl', 3)
    process.terminate()
    text = process.communicate(timeout=60)[1]
    assert process.returncode == 3
    assert 'cancelled; the same command goes on' in text and 'Traceback' not in text
    steps = len(read_history(tmp_path / 'stopped' / 'run' / 'history.jsonl'))
    assert [path.name for path in (tmp_path / 'stopped' / 'run' / 'checkpoints').iterdir()] == [
        f'step-{steps:07d}.ckpt']


def test_what_it_prints_and_writes(command: Command, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    files = ['--json', str(tmp_path / 'r.json'), '--progress-file', str(tmp_path / 'p.json')]
    assert main(command('run', '--name', 'site [3]', *files)) == 0
    report = json.loads((tmp_path / 'r.json').read_text())
    assert report == json.loads((tmp_path / 'run' / 'report.json').read_text())
    out = capsys.readouterr().out
    assert report['why'] in out and 'wrote ' in out
    assert out.count('kept   ') + out.count('BROKEN ') == len(report['check']['rows'])
    assert json.loads((tmp_path / 'p.json').read_text())['phase'] == 'done'
    assert load_profile(tmp_path / 'run' / 'profile')[1].name == 'site [3]'


def failure(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    """Return the one line that a failing command prints."""
    capsys.readouterr()
    assert main(words) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if 'error:' in line]
    assert len(lines) == 1 and lines[0].startswith('mde adapt: error: ')
    return lines[0]


def test_mistakes_are_named(command: Command, tmp_path: Path,
                            capsys: pytest.CaptureFixture[str]) -> None:
    base = command('run')
    for more, words in (
            (['--target', str(tmp_path / 'none')], 'none: no such folder'),
            (['--weights', str(tmp_path / 'none')], 'none.json: no such weight card'),
            (['--split', 'night'], "no split 'night'"),
            (['--tape', '0'], '--tape 0.0: give metres'),
            (['--ranges', str(tmp_path / 'none.csv')], 'none.csv'),
            (['--json', str(tmp_path)], 'is a folder')):
        assert words in failure(capsys, [*base, *more])
    assert '--target is missing' in failure(capsys, ['adapt', '--out', str(tmp_path / 'run')])
    assert '--out is missing' in failure(capsys, ['adapt', '--target', str(tmp_path)])


def test_every_option_reaches_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                      command: Command) -> None:
    seen: list[AdaptSettings] = []

    def fake(settings: AdaptSettings, progress: Any, stop: Any) -> AdaptReport:
        seen.append(settings)
        settings.out.mkdir()
        (settings.out / 'report.json').write_text('{}')
        return AdaptReport(True, 'accepted: because', 'profile.safetensors')

    monkeypatch.setattr(module, 'adapt', fake)
    given: dict[str, Any] = {
        'target': 'rec', 'out': tmp_path / 'x', 'weights': 'w', 'profile': 'p',
        'source': ('a', 'b'), 'replay': Path('rooms'), 'replay_frames': 12, 'split': 'night',
        'method': 'mean_teacher', 'steps': 7, 'batch': 3, 'sizes': ((1., 64, 48),),
        'learning_rate': .5, 'seed': 5, 'precision': '32-true', 'threads': 3,
        'priority': 'idle', 'checkpoint_every': 11, 'check_frames': 5, 'source_rise': .2,
        'force': True, 'name': 'n', 'tape': None, 'camera_height': None,
        'ranges': Path('r.csv'), 'odometry': None, 'camera_pitch': 4., 'camera_roll': 2.,
        'mount': 'free',
        'trainable': 'site', 'trust_consistency': True, 'weather': .25}
    assert set(given) == {field.name for field in fields(AdaptSettings)}
    words = ['adapt']
    for name, value in given.items():
        option = '--' + name.replace('_', '-')
        if name in ('force', 'trust_consistency'):
            words.append(option)
        elif name == 'sizes':
            words += [option, '64x48:1']
        elif value is not None:
            words += [option, *map(str, value if isinstance(value, tuple) else (value,))]
    assert main(words) == 0
    assert vars(seen[0]) == given
    shutil.rmtree(tmp_path / 'x')
    assert main(['adapt', '--target', 'rec', '--out', str(tmp_path / 'x'), '--camera-height',
                 '.4']) == 0
    assert vars(seen[1]) == vars(AdaptSettings('rec', tmp_path / 'x', camera_height=.4))
    shutil.rmtree(tmp_path / 'x')
    assert main(['adapt', '--target', 'rec', '--out', str(tmp_path / 'x'), '--tape', '2.5']) == 0
    assert seen[2].tape == 2.5
    shutil.rmtree(tmp_path / 'x')
    assert main(['adapt', '--target', 'rec', '--out', str(tmp_path / 'x'), '--odometry',
                 'odometry.jsonl']) == 0
    assert seen[3].odometry == Path('odometry.jsonl')


def test_only_the_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                         capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Any] = []

    def ensure(folder: Path, frames: int, report: Any) -> Replay:
        asked.append((folder, frames))
        report(60, 72)
        report(61, 72)
        report(72, 72)
        return Replay(folder, {'frames': 60, 'check_frames': 12})

    monkeypatch.setattr(module, 'ensure_replay', ensure)
    assert main(['adapt', '--make-replay', '--replay', str(tmp_path), '--replay-frames',
                 '60']) == 0
    assert asked == [(tmp_path, 60)]
    said = capsys.readouterr()
    assert said.err.split() == ['60/72', 'frames', '72/72', 'frames']
    assert '60 frames and 12 held out' in said.out


def test_the_signal_is_only_noted() -> None:
    stop = Stop()
    assert not stop()
    stop.note(signal.SIGTERM, None)
    assert stop()


def test_the_handler_is_given_back(command: Command) -> None:
    before = signal.getsignal(signal.SIGTERM)
    main(command('run', '--target', 'nowhere'))
    assert signal.getsignal(signal.SIGTERM) == before


def test_every_option_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    for field in fields(AdaptSettings):
        assert help_of(field.name) != field.name
    assert help_of('seed') == 'of samples and augmentation'
    with pytest.raises(SystemExit):
        main(['adapt', '--help'])
    assert '--progress-file' in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, 'SCHED_IDLE'), reason='Linux has SCHED_IDLE')
def test_its_process_has_the_priority(command: Command, tmp_path: Path) -> None:
    process = start(command('low', '--priority', 'low', steps=100_000),
                    tmp_path / 'low' / 'run' / 'history.jsonl', 1)
    try:
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
    finally:
        process.kill()
        process.communicate()
