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

"""``mde compare``: with depth, without, and what it refuses."""

import json
from pathlib import Path
import shutil

import cv2
import pytest
import torch

from mde_ros.command_line.compare import parse_model
from mde_ros.command_line.main import main
from mde_ros.datasets.rgbd_folder import RgbdFolder
from mde_ros.estimation.profile import save_profile
from mde_ros.estimation.profile_card import SiteScale
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.batch_norm import batch_norms, TARGET
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(.125, (8, 8, 8, 8), canonical_focal=50.)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Write weights, and a profile that doubles their depth, beside them."""
    torch.manual_seed(4)
    save_weights(tmp_path / 'base', DepthNetwork(TINY), WeightCard('base', TINY, 48 * 64))
    network, card = load_weights(tmp_path / 'base')
    save_profile(tmp_path / 'site', network, card, network, name='twice',
                 scale=SiteScale(2., None, 'tape', 1))
    return tmp_path / 'base.safetensors'


def test_before_and_after_with_depth(weights: Path, rgbd_folder: Path, tmp_path: Path,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    names = {kind: tmp_path / f'c.{kind}' for kind in ('json', 'png', 'html')}
    assert main(['compare', str(weights), f'{weights}@{tmp_path}/site.json', str(rgbd_folder),
                 '--json', str(names['json']), '--pictures', str(names['png']),
                 '--report', str(names['html']), '--threads', '1']) == 0
    fields = json.loads(names['json'].read_text())
    assert fields['frames'] == 6 and fields['labels'] is True
    assert fields['after']['model']['id'].startswith(fields['before']['model']['id'] + '+twice-')
    # The same network at twice the scale: what is scaled before scoring is the same.
    assert fields['before']['scale']['site_factor'] == pytest.approx(
        2 * fields['after']['scale']['site_factor'], rel=1e-3)
    assert fields['median_scaled']['abs_rel']['difference'] == pytest.approx(0, abs=1e-6)
    assert fields['raw']['abs_rel']['difference'] != 0
    assert fields['command'].startswith('mde ')
    picture = cv2.imread(str(names['png']))
    assert picture is not None and picture.shape[1] == 6 * 248 + 8
    assert names['html'].read_text().startswith('<!doctype html>')
    out = capsys.readouterr().out
    assert 'median-scaled' in out and out.count('wrote ') == 3


def test_some_of_the_frames(weights: Path, rgbd_folder: Path, tmp_path: Path) -> None:
    def frames(*words: str) -> int:
        assert main(['compare', str(weights), str(weights), str(rgbd_folder), '--json',
                     str(tmp_path / 'c.json'), *words]) == 0
        return int(json.loads((tmp_path / 'c.json').read_text())['frames'])

    assert frames('--split', 'score') == 2
    assert frames('--every', '2') == 3
    assert frames('--limit', '4') == 4
    assert frames('--min-depth', '1.5', '--max-depth', '2') == 6
    settings = json.loads((tmp_path / 'c.json').read_text())['settings']
    assert (settings['min_depth'], settings['max_depth']) == (1.5, 2.)


def test_without_depth_the_label_free_check(weights: Path, rgbd_folder: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    network, card = load_weights(weights)
    with torch.no_grad():
        for layer in batch_norms(network):
            layer.statistics(TARGET)[0].add_(9.)
    save_profile(tmp_path / 'spoilt', load_weights(weights)[0], card, network, name='spoilt')
    unlabelled = shutil.copytree(rgbd_folder, tmp_path / 'plain')
    shutil.rmtree(unlabelled / 'depth')
    words = ['compare', str(weights), f'{weights}@{tmp_path}/spoilt', str(unlabelled),
             '--json', str(tmp_path / 'c.json'), '--pictures', str(tmp_path / 'c.jpg'),
             '--report', str(tmp_path / 'c.html')]
    assert main(words) == 0
    fields = json.loads((tmp_path / 'c.json').read_text())
    assert fields['labels'] is False and fields['frames'] == 6
    assert not fields['check']['accepted'] and 'fit' in fields['check']['before']
    assert 'source' not in fields['check']['before']
    picture = cv2.imread(str(tmp_path / 'c.jpg'))
    assert picture is not None and picture.shape[1] == 4 * 248 + 8
    assert fields['check']['why'].split(';')[0] in capsys.readouterr().out.replace('\n', ' ')
    # The source adds what was forgotten.
    assert main([*words, '--source', str(rgbd_folder)]) == 0
    assert 'source' in json.loads((tmp_path / 'c.json').read_text())['check']['before']


def test_depth_that_must_not_be_read(weights: Path, rgbd_folder: Path, tmp_path: Path) -> None:
    for path in (rgbd_folder / 'depth').iterdir():
        path.write_bytes(b'poison')
    assert main(['compare', str(weights), str(weights), str(rgbd_folder), '--no-labels',
                 '--limit', '3', '--json', str(tmp_path / 'c.json')]) == 0
    assert json.loads((tmp_path / 'c.json').read_text())['frames'] == 3


def test_weights_and_profile_in_one_word(tmp_path: Path) -> None:
    assert parse_model('shipped') == ('shipped', '')
    assert parse_model('a/w.safetensors@b/store') == ('a/w.safetensors', 'b/store')
    odd = tmp_path / 'robot@lab.safetensors'
    odd.write_bytes(b'')
    assert parse_model(str(odd)) == (str(odd), '')


def test_mistakes_are_named(weights: Path, rgbd_folder: Path, tmp_path: Path,
                            capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
            ([str(weights), 'none.safetensors', str(rgbd_folder)], 'none.json'),
            ([str(weights), f'{weights}@none', str(rgbd_folder)], 'none'),
            ([str(weights), str(weights), str(tmp_path / 'nowhere')], 'no such file'),
            ([str(weights), str(weights), str(rgbd_folder), '--pictures', 'x.gif'],
             '--pictures x.gif: give a name that ends with .png, .jpg, .jpeg'),
            ([str(weights), str(weights), str(rgbd_folder), '--min-depth', '9', '--max-depth',
              '1'], '')):
        assert main(['compare', *words]) == 2
        assert said in capsys.readouterr().err


def test_frames_are_spread_over_the_data(rgbd_folder: Path) -> None:
    from mde_ros.onsite.check_networks import spread_frames
    names = [frame.name for frame in spread_frames(RgbdFolder(rgbd_folder), 1, 3)]
    assert names == ['000000', '000002', '000005']
