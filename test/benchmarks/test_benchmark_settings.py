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

"""Sizes and what they make of a training."""

import pytest

from mde_ros.adaptation.predecessors.t2net_unet import STRIDE
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.settings import Settings, SIZES


def test_sizes_and_changes() -> None:
    quick = Settings.of('quick', steps=7, batch=None)
    assert (quick.steps, quick.batch) == (7, Settings.batch)
    assert Settings.of('full').steps > Settings.of('quick').steps
    assert quick.frames('adapt') == quick.adapt_frames
    # T2Net's U-Net takes the images of both.
    for size in SIZES:
        assert Settings.of(size).width % STRIDE == Settings.of(size).height % STRIDE == 0


def test_steps_of_each_training() -> None:
    settings = Settings.of('quick', warm_steps=30, steps=50, batch=4)
    method, warm, whole, oracle = (
        settings.train_config(3, {'zoom': .8}), settings.train_config(3, {}, warm=True),
        settings.train_config(3, {}, whole=True), settings.train_config(3, {}, images=2))
    assert [c.steps for c in (method, warm, whole, oracle)] == [50, 30, 80, 50]
    assert [c.batch for c in (method, warm, whole, oracle)] == [4, 4, 4, 8]
    assert [c.seed for c in (method, whole, oracle)] == [3, 3, 3] and warm.seed != 3
    assert method.zoom == .8 and method.sizes == ((1., 128, 96),)
    # What starts from random weights learns faster than what goes on.
    assert warm.learning_rate == whole.learning_rate > method.learning_rate
    alone = Settings.of('quick', warm_steps=0).train_config(0, {})
    assert alone.learning_rate == warm.learning_rate


@pytest.mark.parametrize(('changes', 'message'), [
    ({'steps': 0}, 'steps = 0'), ({'warm_steps': -1}, 'warm_steps = -1'),
    ({'network': 'huge'}, "network 'huge'.*base"), ({'colour': 1}, 'unknown settings colour')])
def test_wrong_settings_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BenchmarkError, match=message):
        Settings.of('quick', **changes)
    with pytest.raises(BenchmarkError, match="size 'huge'.*quick, full"):
        Settings.of('huge')
