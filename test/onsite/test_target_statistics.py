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

"""Batch statistics over all frames of a target."""

from pathlib import Path

from adapt_harness import tiny_network, write_frames
import torch

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.network.batch_norm import batch_norms, SOURCE, TARGET
from mde_ros.network.depth_network import normalise
from mde_ros.onsite.target_statistics import precise_statistics, statistics_batches


def test_batches_of_crops_spread_over_the_set(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / 'set', 40, False)
    config = TrainConfig(sizes=((.5, 32, 32), (.5, 64, 48)), seed=3)
    batches = statistics_batches([RgbdFolder(folder, read_depth=False)], config)
    assert [len(batch) for batch in batches] == [20, 20]
    assert all(batch.shape[1:] == (3, 48, 64) and batch.dtype == torch.uint8
               for batch in batches)
    again = statistics_batches([RgbdFolder(folder, read_depth=False)], config)
    assert all(torch.equal(one, other) for one, other in zip(batches, again))


def test_few_frames_are_one_batch(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / 'set', 9, False)
    (folder / 'rgb' / '000004.png').write_bytes(b'no image')
    batches = statistics_batches([RgbdFolder(folder, read_depth=False)], TrainConfig())
    assert [len(batch) for batch in batches] == [8]


def test_the_first_layer_by_hand() -> None:
    network = tiny_network()
    batches = [torch.randint(0, 255, (4, 3, 48, 64), dtype=torch.uint8) for _ in range(3)]
    result = precise_statistics(network, batches)
    first, before = batch_norms(result)[0], batch_norms(network)[0]
    seen: list[torch.Tensor] = []
    handle = batch_norms(network)[0].register_forward_pre_hook(
        lambda _, arguments: seen.append(arguments[0].mean((0, 2, 3))))
    for batch in batches:
        with torch.no_grad():
            network.forward_domain(normalise(batch), TARGET)
    handle.remove()
    torch.testing.assert_close(first.statistics(TARGET)[0], torch.stack(seen).mean(0),
                               rtol=1e-4, atol=1e-5)
    assert not result.training and first.momentum == before.momentum
    # The source's statistics and the network that was given stay as they were.
    torch.testing.assert_close(first.statistics(SOURCE)[0], before.statistics(SOURCE)[0])
    assert not torch.equal(first.statistics(TARGET)[0], before.statistics(TARGET)[0])
