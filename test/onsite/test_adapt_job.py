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

"""A whole adaptation in process: refused, accepted, gone on with, cancelled, moved."""

import json
from pathlib import Path
import shutil
from typing import Any

from adapt_harness import CAMERA, tiny_settings
import numpy as np
import pytest
import torch

from mde_ros.adaptation.errors import TrainingError
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile import load_profile
from mde_ros.estimation.profile_card import ProfileError
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.onsite import adapt_job
from mde_ros.onsite.adapt_job import adapt, Cancelled, sole
from mde_ros.onsite.adapt_settings import AdaptError
from mde_ros.onsite.check import judge
from mde_ros.onsite.progress_file import PHASES, ProgressFile


def tensors(out: Path) -> dict[str, torch.Tensor]:
    """Return what a profile changes."""
    return load_profile(out / 'profile')[0]


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Return whether two profiles change the same to the same values, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_profile_report_and_phases(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    settings = tiny_settings(tmp_path, name='kitchen', tape=2.)
    report = adapt(settings, ProgressFile(None, heard.append))
    found, card = load_profile(tmp_path / 'out' / 'profile.safetensors')
    assert found and (card.name, card.camera, card.method) == ('kitchen', 'test camera', 'site')
    assert card.intrinsics == CAMERA.to_dict() and card.scale.source == 'tape'
    assert card.report['accepted'] == report.accepted and card.report['why'] == report.why
    # Nothing but what a robot runs, and what may be learnt on site.
    assert not any('source_' in name or 'style_encoders' in name for name in found)
    saved = json.loads((tmp_path / 'out' / 'report.json').read_text())
    assert saved['accepted'] == report.accepted and saved['profile'] == 'profile.safetensors'
    assert saved['scale']['source'] == 'tape' and saved['scale']['problem'] == ''
    assert set(saved['check']['before']) == set(saved['check']['after']) >= {
        'source', 'styled', 'flip', 'light', 'zoom', 'spread', 'variety', 'fit'}
    assert saved['peak_memory_mb'] > 50
    assert {'checking', 'training', 'check', 'steps'} <= set(saved['seconds'])
    assert saved['settings']['input'] == [64, 48]
    assert saved['settings']['steps'] == 4 and saved['settings']['target']['frames'] == 20
    phases = list(dict.fromkeys(state['phase'] for state in heard))
    assert phases == list(PHASES)
    training = [state for state in heard if state['phase'] == 'training' and state['losses']]
    assert [state['step'] for state in training] == [1, 2, 3, 4]
    assert training[0]['steps'] == 4 and training[0]['seconds_left'] > 0
    assert training[0]['losses']['loss'] > 0


def test_trained_at_the_input_that_the_robot_has(tmp_path: Path) -> None:
    adapt(tiny_settings(tmp_path, sizes=(), steps=2))
    run = json.loads((tmp_path / 'out' / 'run' / 'run.json').read_text())
    assert run['config']['sizes'] == [[.6, 48, 32], [.4, 64, 48]]


def test_in_weather_the_check_has_a_control_group(tmp_path: Path) -> None:
    report = adapt(tiny_settings(tmp_path, weather=.5))
    assert 'weather' not in adapt(
        tiny_settings(tmp_path, out=tmp_path / 'clear')).check['before']
    rows = {row['name']: row for row in report.check['rows']}
    assert rows['weather']['before'] > 0 and rows['weather']['most'] == 1.
    assert rows['flip']['most'] >= 1.25


def test_a_bad_recording_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, force=False)
    for path in (tmp_path / 'recording' / 'rgb').iterdir():
        shutil.copy(tmp_path / 'recording' / 'rgb' / '000000.png', path.with_suffix('.tmp'))
        path.with_suffix('.tmp').replace(path)
    report = adapt(settings)
    assert not report.accepted and report.profile == ''
    assert report.why.startswith('refused: the recording is ') and 'static' in report.why
    assert not (tmp_path / 'out' / 'run').exists()
    assert json.loads((tmp_path / 'out' / 'report.json').read_text())['why'] == report.why
    assert adapt(tiny_settings(tmp_path, force=True)).profile


def test_the_same_settings_go_on_and_others_are_refused(tmp_path: Path) -> None:
    first = adapt(tiny_settings(tmp_path))
    before = tensors(tmp_path / 'out')
    again = adapt(tiny_settings(tmp_path))
    assert (again.accepted, again.why) == (first.accepted, first.why)
    assert equal(before, tensors(tmp_path / 'out'))
    # What is not part of the training may change; what is may not.
    adapt(tiny_settings(tmp_path, threads=2, tape=2.))
    torch.set_num_threads(1)
    with pytest.raises(TrainingError, match=r'other settings \(seed, steps\)'):
        adapt(tiny_settings(tmp_path, steps=5, seed=1))
    (tmp_path / 'recording' / 'rgb' / '000003.png').unlink()
    with pytest.raises(TrainingError, match=r'other settings \(target\)'):
        adapt(tiny_settings(tmp_path))


def test_moved_to_another_folder_it_gives_the_same(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path / 'robot')
    adapt(settings)
    shutil.copytree(tmp_path / 'robot', tmp_path / 'desk', ignore=shutil.ignore_patterns('out'))
    adapt(tiny_settings(tmp_path / 'desk'))
    assert equal(tensors(tmp_path / 'robot' / 'out'), tensors(tmp_path / 'desk' / 'out'))
    adapt(tiny_settings(tmp_path / 'desk', out=tmp_path / 'other', seed=9))
    assert not equal(tensors(tmp_path / 'other'), tensors(tmp_path / 'desk' / 'out'))


def test_labels_of_the_target_change_nothing(tmp_path: Path) -> None:
    adapt(tiny_settings(tmp_path))
    poisoned = shutil.copytree(tmp_path / 'recording', tmp_path / 'poisoned' / 'recording')
    (poisoned / 'depth').mkdir()
    for path in (poisoned / 'rgb').iterdir():
        (poisoned / 'depth' / path.name).write_bytes(b'poison')
    out = tmp_path / 'poisoned' / 'out'
    adapt(tiny_settings(tmp_path, target=str(poisoned), out=out))
    assert equal(tensors(tmp_path / 'out'), tensors(out))


def test_cancelled_and_gone_on_with(tmp_path: Path) -> None:
    whole = adapt(tiny_settings(tmp_path, out=tmp_path / 'whole', checkpoint_every=99))
    progress = ProgressFile(None)
    settings = tiny_settings(tmp_path, checkpoint_every=99)
    with pytest.raises(Cancelled):
        adapt(settings, progress, lambda: progress.state['phase'] == 'training'
              and progress.state['step'] >= 2)
    assert not (tmp_path / 'out' / 'profile.safetensors').exists()
    assert [path.name for path in (tmp_path / 'out' / 'run' / 'checkpoints').iterdir()] == [
        'step-0000002.ckpt']
    with pytest.raises(Cancelled):
        adapt(settings, stop=lambda: True)
    report = adapt(settings)
    assert report.why == whole.why
    assert equal(tensors(tmp_path / 'out'), tensors(tmp_path / 'whole'))


def test_a_training_that_forgets_is_stopped(tmp_path: Path) -> None:
    report = adapt(tiny_settings(tmp_path, learning_rate=3., steps=12, source_rise=.01))
    assert not report.accepted and report.profile == ''
    assert report.why.startswith('refused: training stopped: the error on held-out source rose')


def test_from_a_profile_on(tmp_path: Path) -> None:
    adapt(tiny_settings(tmp_path))
    store = ProfileStore(tmp_path / 'store')
    store.activate(store.add(tmp_path / 'out' / 'profile'))
    for name, profile in (('file', 'out/profile'), ('stored', 'store')):
        adapt(tiny_settings(tmp_path, out=tmp_path / name, profile=str(tmp_path / profile)))
    assert equal(tensors(tmp_path / 'file'), tensors(tmp_path / 'stored'))
    assert not equal(tensors(tmp_path / 'file'), tensors(tmp_path / 'out'))
    with pytest.raises(ProfileError):
        adapt(tiny_settings(tmp_path, profile=str(tmp_path / 'none')))


def test_what_the_check_says_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def lenient(before: Any, after: Any, source_rise: float, trust: bool) -> Any:
        seen.append((source_rise, trust))
        better = {key: value * (.5 if key in ('flip', 'zoom') else 1)
                  for key, value in before.items()}
        return judge(before, better, source_rise, trust)

    monkeypatch.setattr(adapt_job, 'judge', lenient)
    report = adapt(tiny_settings(tmp_path, source_rise=.07, trust_consistency=True))
    assert report.accepted and seen == [(.07, True)]


def test_a_scale_that_was_not_found_is_said(tmp_path: Path) -> None:
    report = adapt(tiny_settings(tmp_path, camera_height=.4))
    assert 'no scale: camera_height: ' in report.why and report.scale['source'] == 'none'
    assert report.scale['problem']


def test_what_was_measured_before_keeps_its_level(tmp_path: Path) -> None:
    unmeasured = adapt(tiny_settings(tmp_path))
    assert (unmeasured.scale['source'], unmeasured.scale['factor']) == ('none', 1.)
    measured = adapt(tiny_settings(tmp_path, tape=2., out=tmp_path / 'measured'))
    assert measured.scale['source'] == 'tape'
    settings = tiny_settings(tmp_path, out=tmp_path / 'again',
                             profile=str(tmp_path / 'measured' / 'profile'))
    again = adapt(settings)
    assert again.scale['source'] == 'kept' and again.scale['count'] > 1
    frames = RgbdFolder(tmp_path / 'recording', read_depth=False)
    levels = [np.median([
        np.nanmedian(np.log(estimator.estimate(frame.image, frame.intrinsics).depth))
        for frame in frames]) for estimator in (
            DepthEstimator(settings.weights, profile=tmp_path / out / 'profile')
            for out in ('measured', 'again'))]
    # The factor is of the held-out frames, these are all.
    assert levels[1] == pytest.approx(levels[0], abs=.02)


@pytest.mark.parametrize('method', ['mean_teacher', 'adabn'])
def test_other_methods_measure_their_statistics(method: str, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = adapt_job.precise_statistics
    monkeypatch.setattr(adapt_job, 'precise_statistics', lambda network, batches: (
        calls.append(len(batches)), real(network, batches))[1])
    adapt(tiny_settings(tmp_path, method=method))
    assert calls == [1]
    assert load_profile(tmp_path / 'out' / 'profile')[1].method == method


def test_two_jobs_in_one_folder(tmp_path: Path) -> None:
    words = 'another mde adapt is at work there'
    with sole(tmp_path), pytest.raises(AdaptError, match=words), sole(tmp_path):
        pass
