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

"""Errors and costs at several input sizes, on a tiny folder and a tiny network."""

import json
from pathlib import Path

import pytest
import torch

from mde_ros.benchmarks import input_sizes as module
from mde_ros.benchmarks.input_sizes import score_input_sizes, score_part
from mde_ros.estimation.weights import save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8))


@pytest.fixture
def weights(tmp_path: Path) -> str:
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny_net', DepthNetwork(TINY), WeightCard('tiny', TINY, 64 * 48))
    return str(tmp_path / 'tiny_net.safetensors')


def test_one_row_a_size_scored_once(weights: str, rgbd_folder: Path, tmp_path: Path,
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []

    def sizes() -> list[dict[str, object]]:
        return score_input_sizes(weights, [(32, 24), (64, 48)], [rgbd_folder], tmp_path / 'kept',
                                 say=lines.append)

    small, usual = rows = sizes()
    assert (small['size'], small['shipped']) == ([32, 32], False)
    assert (usual['input'], usual['shipped']) == ('64x48', True)
    assert usual['gmacs'] > small['gmacs'] > 0  # type: ignore[operator]
    found = usual['sets']['tiny']  # type: ignore[index]
    assert found['part'] == {'name': 'tiny', 'split': 'score', 'frames': 2}
    assert found['input'] == '64x48' and 0 < found['raw']['abs_rel'] < 100
    # The mean of one set is its own.
    assert usual['mean']['raw'] == found['raw']  # type: ignore[index]
    assert usual['mean'] != small['mean'] and lines[1].startswith('input 64x48: mean Abs Rel raw')
    with monkeypatch.context() as patch:
        patch.setattr(module, 'evaluate', None)
        assert sizes() == rows
    # Other frames are scored anew.
    meta = json.loads((rgbd_folder / 'meta.json').read_text())
    (rgbd_folder / 'meta.json').write_text(json.dumps({**meta, 'splits': {}}))
    assert sizes()[0]['sets']['tiny']['part']['frames'] == 6  # type: ignore[index]


def test_without_folders_there_are_no_errors(weights: str, tmp_path: Path) -> None:
    row, = score_input_sizes(weights, [(64, 48)], [], tmp_path)
    assert row['sets'] == row['mean'] == {}


def test_what_is_scored_of_a_folder(rgbd_folder: Path) -> None:
    assert score_part(rgbd_folder).split == 'score'
    (rgbd_folder / 'meta.json').write_text('{}')
    assert score_part(rgbd_folder).split is None
