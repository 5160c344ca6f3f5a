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

"""``mde info`` on weights, sizes of network, folders and bags."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from mde_ros.command_line.main import main
from mde_ros.estimation.profile import save_profile, SiteScale
from mde_ros.estimation.profile_store import ProfileStore
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig, SIZES

TINY = NetworkConfig(.125, (8, 8, 8, 8), 'depthwise')


def facts(tmp_path: Path, *words: object) -> dict[str, Any]:
    """Return what ``mde info`` writes."""
    path = tmp_path / 'facts.json'
    assert main(['info', *map(str, words), '--json', str(path)]) == 0
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return a tiny weight file."""
    torch.manual_seed(0)
    save_weights(tmp_path / 'tiny', DepthNetwork(TINY), WeightCard(
        'tiny', TINY, 64 * 48, (.3, 9.), [{'name': 'rooms', 'licence': 'CC0'}],
        notices=['a notice']))
    return tmp_path / 'tiny.safetensors'


@pytest.mark.parametrize(('size', 'most'), [('small', .8), ('base', 2.)])
def test_sizes_of_network(tmp_path: Path, size: str, most: float) -> None:
    found = facts(tmp_path, size)
    assert found['size'] == '320x240' and .5 * most < found['gmacs'] <= most
    assert found['network'] == SIZES[size].to_dict()
    assert 'model_id' not in found
    # A quarter of the pixels, a quarter of the products.
    quarter = facts(tmp_path, size, '--size', '160x128')
    assert quarter['gmacs'] == pytest.approx(found['gmacs'] * 160 * 128 / (320 * 240), rel=.05)
    assert quarter['parameters'] == found['parameters'] < 4e6


def test_weights(tmp_path: Path, weights: Path) -> None:
    found = facts(tmp_path, weights, '--size', '64x48')
    assert found['network'] == TINY.to_dict()
    assert found['name'] == 'tiny' and found['model_id'] == f'tiny-{found["sha256"][:8]}'
    assert found['data'] == [{'name': 'rooms', 'licence': 'CC0'}]
    assert found['depth_range'] == [.3, 9.] and found['notices'] == ['a notice']
    # Only what runs on the robot counts: no style encoders, no batch norm.
    network = DepthNetwork(TINY)
    assert found['parameters'] < sum(p.numel() for p in network.parameters()) - sum(
        p.numel() for p in network.style_encoders.parameters())
    # The card alone names the same weights.
    assert facts(tmp_path, weights.with_suffix('.json'), '--size', '64x48') == found


@pytest.fixture
def profile(tmp_path: Path, weights: Path) -> Path:
    """Return a profile that changes the style code and the scale."""
    (base, card), (adapted, _) = load_weights(weights), load_weights(weights)
    adapted.style_code.fill_(1.)
    save_profile(tmp_path / 'hall', base, card, adapted, name='hall', camera='front',
                 method='site', created='today', scale=SiteScale(.71, .02, 'ranges', 20))
    return tmp_path / 'hall.safetensors'


def test_a_profile(tmp_path: Path, profile: Path) -> None:
    found = facts(tmp_path, profile)
    assert found['profile_id'] == f'hall-{found["sha256"][:8]}'
    assert (found['tensors'], found['values']) == (1, TINY.style_channels)
    assert (found['camera'], found['method'], found['base_name']) == ('front', 'site', 'tiny')
    assert found['scale'] == {'factor': .71, 'log_std': .02, 'source': 'ranges', 'count': 20,
                              'exponent': 1.}
    assert facts(tmp_path, profile.with_suffix('.json')) == found


def test_a_profile_store(tmp_path: Path, profile: Path) -> None:
    store = ProfileStore(tmp_path / 'store')
    store.activate(store.add(profile, 'first'), 'better')
    store.add(profile, 'second')
    (store.folder / 'profiles' / '0002.json').unlink()
    found = facts(tmp_path, store.folder)
    assert found['current'] == '0001'
    identity = facts(tmp_path, profile)['profile_id']
    assert found['profiles']['0001'] == f'{identity}, site, x 0.710 (ranges), today'
    assert '0002.json: no such profile' in found['profiles']['0002']
    assert [event['why'] for event in found['history']] == ['first', 'better', 'second']


def test_a_folder_by_hand(tmp_path: Path, rgbd_folder: Path) -> None:
    found = facts(tmp_path, rgbd_folder)
    assert {k: found[k] for k in ('frames', 'read', 'labelled', 'skipped')} == {
        'frames': 6, 'read': 6, 'labelled': 6, 'skipped': {}}
    assert found['cameras'] == {'64x48 fx 48.0 fy 48.0 cx 31.5 cy 23.5 none': 6}
    assert found['different_cameras'] == 1
    assert found['valid_pixels'] == round(1 - 64 / (64 * 48), 4)
    # Row r of frame n is at 1 + 0.05 r + 0.1 n metres, without 8 pixels in the first 8 rows.
    metres = (1000 + 50 * np.arange(48)[None] + 100 * np.arange(6)[:, None]) / 1000
    pixels = np.broadcast_to(np.where(np.arange(48) < 8, 56, 64), metres.shape)
    for low, high in ((1, 1.5), (1.5, 2), (2, 3), (3, 4)):
        share = pixels[(metres >= low - 1e-9) & (metres < high - 1e-9)].sum() / pixels.sum()
        assert found['depth_histogram'][f'{low:g}-{high:g} m'] == pytest.approx(share, abs=2e-2)
    assert sum(found['depth_histogram'].values()) == pytest.approx(1, abs=1e-3)
    assert found['depth_histogram']['0-0.5 m'] == found['depth_histogram']['20-inf m'] == 0


def test_a_bag_holds_what_its_folder_did(tmp_path: Path, rgbd_folder: Path) -> None:
    assert main(['convert', str(rgbd_folder), str(tmp_path / 'tiny.mcap')]) == 0
    bag, folder = facts(tmp_path, tmp_path / 'tiny.mcap'), facts(tmp_path, rgbd_folder)
    for key in ('frames', 'labelled', 'valid_pixels', 'depth_histogram', 'different_cameras'):
        assert bag[key] == folder[key]


def test_the_limit(tmp_path: Path, rgbd_folder: Path) -> None:
    found = facts(tmp_path, rgbd_folder, '--limit', '2')
    assert (found['frames'], found['read']) == (6, 2)


def test_bad_and_unlabelled_frames_are_counted(tmp_path: Path, rgbd_folder: Path) -> None:
    (rgbd_folder / 'rgb' / '000001.png').write_bytes(b'no image')
    found = facts(tmp_path, rgbd_folder)
    assert found['read'] == 5 and sum(found['skipped'].values()) == 1
    for path in (rgbd_folder / 'depth').iterdir():
        path.unlink()
    (rgbd_folder / 'depth').rmdir()
    found = facts(tmp_path, rgbd_folder)
    assert found['read'] == 5 and found['labelled'] == 0 and found['valid_pixels'] == 0


def test_an_overview_is_printed(capsys: pytest.CaptureFixture[str], rgbd_folder: Path) -> None:
    assert main(['info', str(rgbd_folder)]) == 0
    text = capsys.readouterr().out
    assert 'depth_histogram' in text and '64x48 fx 48.0' in text


@pytest.mark.parametrize('name', ['nothing', 'nothing.safetensors', 'nothing.mcap'])
def test_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                           name: str) -> None:
    assert main(['info', str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert error.startswith('mde info: error: ') and 'nothing' in error
    assert error.count('\n') == 1


def test_a_folder_of_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((4, 4), np.uint8))
    assert main(['info', str(tmp_path)]) == 2
    assert 'meta.json' in capsys.readouterr().err


def test_json_where_nothing_can_be_written(tmp_path: Path, weights: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['info', str(weights), '--json', str(tmp_path / 'no' / 'x.json')]) == 2
    assert 'no/x.json' in capsys.readouterr().err


def test_a_contact_sheet(tmp_path: Path, rgbd_folder: Path,
                         capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / 'sheet.png'
    found = facts(tmp_path, rgbd_folder, '--sheet', sheet)
    assert found['camera'] == 'test' and found['licence'] == 'Apache-2.0'
    picture = cv2.imread(str(sheet))
    # Six frames, two in a row, each 240 wide beside its depth.
    assert picture is not None and picture.shape == (48 + 3 * (180 + 26), 992, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 500
    assert main(['info', str(rgbd_folder), '--sheet', str(tmp_path / 'no' / 'x.png')]) == 2
    assert 'no/x.png' in capsys.readouterr().err


def test_a_sheet_of_a_bag(tmp_path: Path, rgbd_folder: Path) -> None:
    assert main(['convert', str(rgbd_folder), str(tmp_path / 'tiny.mcap')]) == 0
    facts(tmp_path, tmp_path / 'tiny.mcap', '--sheet', tmp_path / 'sheet.png')
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape[1] == 992


def test_a_data_set_by_its_spec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'indoors' / 'scene_1' / 'scan_1'
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / 'a.png'), np.full((768, 1024, 3), 90, np.uint8))
    np.save(folder / 'a_depth.npy', np.full((768, 1024, 1), 2.5, np.float32))
    np.save(folder / 'a_depth_mask.npy', np.ones((768, 1024), np.float32))
    found = facts(tmp_path, f'diode:{tmp_path}?place=indoors')
    assert found['source'] == 'DIODE' and found['licence'] == 'MIT'
    assert found['depth_histogram']['2-3 m'] == 1
    assert list(found['cameras']) == ['1024x768 fx 886.8 fy 927.1 cx 512.0 cy 384.0 none']
    assert main(['info', f'diode:{tmp_path}?place=cellar']) == 2
    assert 'expected one of: indoors, outdoor' in capsys.readouterr().err
    # Half a download: named, and described with partial=yes.
    assert 'partial' not in found
    (folder / 'a_depth_mask.npy').unlink()
    cv2.imwrite(str(folder / 'b.png'), np.zeros((768, 1024, 3), np.uint8))
    assert main(['info', f'diode:{tmp_path}?place=indoors']) == 2
    message = 'scan_1/a_depth_mask.npy is missing (3 of 4 expected there)'
    assert f'{message}: half a download?' in capsys.readouterr().err
    found = facts(tmp_path, f'diode:{tmp_path}?place=indoors&partial=yes')
    assert found['partial'].endswith(message)
    assert found['frames'] == 2 and found['skipped'] == {'no depth mask file': 1,
                                                         'no depth file': 1}
