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

"""Two estimators on the same frames, by hand."""

from pathlib import Path

from off_estimator import Off
import pytest

from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.evaluation.compare import Change, compare
from mde_ros.evaluation.evaluator import EvaluationError


def test_errors_and_their_difference(rgbd_folder: Path) -> None:
    found = compare(lambda: RgbdFolder(rgbd_folder), Off(1.2), Off(1.1))
    try:
        raw, *_ = found.changes('raw')
        assert (raw.metric, raw.verdict) == ('abs_rel', 'better')
        assert raw.before == pytest.approx(.2, abs=1e-3)
        assert raw.after == pytest.approx(.1, abs=1e-3)
        # Every frame has the same gain: the interval has no width.
        assert raw.low == pytest.approx(-.1, abs=1e-3) == pytest.approx(raw.high, abs=1e-3)
        scaled = {change.metric: change for change in found.changes('median_scaled')}
        assert scaled['abs_rel'].after == pytest.approx(0, abs=1e-3)
        fields = found.to_dict()
        assert fields['frames'] == 6 and len(fields['per_frame']) == 6
        assert fields['raw']['abs_rel']['difference'] == pytest.approx(-.1, abs=1e-3)
        assert fields['before']['model']['id'] == 'off by 1.2'
        assert fields['after']['scale']['site_factor'] == pytest.approx(1 / 1.1, rel=1e-3)
        gains = found.gains('raw')
        assert len(gains) == 6 and gains == sorted(gains, key=lambda one: (-one[0], one[1]))
        assert gains[0][0] == pytest.approx(.1, abs=1e-3)
    finally:
        found.close()


def test_only_frames_that_both_can_estimate(rgbd_folder: Path) -> None:
    calls: list[int] = []
    found = compare(lambda: RgbdFolder(rgbd_folder), Off(1.2, broken=0), Off(1.1, broken=5),
                    progress=lambda: calls.append(1))
    found.close()
    assert [old.name for old, _ in found.pairs] == [f'{n:06d}' for n in range(1, 5)]
    assert len(calls) == 12 and found.to_dict()['skipped'] == {
        'before': {'broken': 1}, 'after': {'broken': 1}}


def test_some_frames(rgbd_folder: Path) -> None:
    found = compare(lambda: RgbdFolder(rgbd_folder), Off(1.2), Off(1.1), every=2, limit=2)
    found.close()
    assert [old.name for old, _ in found.pairs] == ['000000', '000002']
    with pytest.raises(EvaluationError, match='no frame that both'):
        compare(lambda: RgbdFolder(rgbd_folder), Off(1.2, 0), Off(1.1, 1), limit=2)


@pytest.mark.parametrize(('metric', 'low', 'high', 'verdict'), [
    ('abs_rel', -.2, -.1, 'better'), ('abs_rel', .1, .2, 'worse'), ('abs_rel', -.1, .1, 'unclear'),
    ('delta1', .1, .2, 'better'), ('delta1', -.2, -.1, 'worse'),
    ('rmse', float('nan'), float('nan'), 'unclear')])
def test_the_word_for_an_interval(metric: str, low: float, high: float, verdict: str) -> None:
    assert Change(metric, 1., 1., low, high).verdict == verdict

