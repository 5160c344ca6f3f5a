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

"""The recognition network: against plain functions, frozen, and files that are none."""

import hashlib
from pathlib import Path

import pytest
from safetensors.torch import save_file
import torch
from torch.nn import functional

from mde_ros.adaptation import recognition
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.recognition import (
    EncoderRecognition, half_size, IMAGENET_DEVIATION, IMAGENET_MEAN, make_recognition,
    Recognition, URLS, VGG, VggRecognition)
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig

TINY = NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8))
# The architecture with a sixteenth of the channels.
SMALL = {name: tuple(c if isinstance(c, str) else c // 16 for c in layers)
         for name, layers in VGG.items()}


@pytest.fixture
def network() -> DepthNetwork:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return DepthNetwork(TINY)


@pytest.fixture
def small_vgg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, 'VGG', SMALL)


def vgg_state(name: str, layers: dict[str, tuple[int | str, ...]] = SMALL
              ) -> dict[str, torch.Tensor]:
    """Return random weights as torchvision names them, classifier and upper layers too."""
    generator = torch.Generator().manual_seed(5)
    state, index, inputs = {}, 0, 3
    for entry in (*layers[name], 'M', 32, 32, 'M'):
        if isinstance(entry, str):
            index += 1
            continue
        scale = (2 / (9 * inputs)) ** .5
        state[f'features.{index}.weight'] = torch.randn(
            entry, inputs, 3, 3, generator=generator) * scale
        state[f'features.{index}.bias'] = torch.randn(entry, generator=generator) * .1
        inputs, index = entry, index + 2
    return {**state, 'classifier.0.weight': torch.zeros(2, 2), 'classifier.0.bias': torch.zeros(2)}


def plain_vgg(name: str, state: dict[str, torch.Tensor], image: torch.Tensor
              ) -> list[torch.Tensor]:
    """Compute the four taps with functions alone."""
    features = ((image + 1) / 2 - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(
        IMAGENET_DEVIATION).view(3, 1, 1)
    out, index = [], 0
    for entry in SMALL[name]:
        if isinstance(entry, str):
            out.append(features)
            features = functional.max_pool2d(features, 2)
            index += 1
        else:
            features = functional.relu(functional.conv2d(
                features, state[f'features.{index}.weight'], state[f'features.{index}.bias'],
                padding=1))
            index += 2
    return [*out, features]


@pytest.mark.parametrize('name', sorted(VGG))
@pytest.mark.parametrize('suffix', ['.pth', '.safetensors'])
def test_vgg_from_a_file(name: str, suffix: str, tmp_path: Path, network: DepthNetwork,
                         small_vgg: None) -> None:
    state, path = vgg_state(name), tmp_path / f'{name.upper()}-0123{suffix}'
    if suffix == '.pth':
        torch.save(state, path)
    else:
        save_file(state, path)
    judge = make_recognition(network, str(path))
    image = torch.rand(2, 3, 24, 32) * 2 - 1
    seen, wanted = judge(image), plain_vgg(name, state, image)
    assert [tuple(f.shape) for f in seen] == [
        (2, 4, 24, 32), (2, 8, 12, 16), (2, 16, 6, 8), (2, 32, 3, 4)]
    for ours, plain in zip(seen, wanted, strict=True):
        torch.testing.assert_close(ours, plain)
    assert name in judge.description


def test_the_real_architectures() -> None:
    # Published convolutions up to conv4: 10 of VGG-16's 13, 12 of VGG-19's 16.
    for name, convolutions, parameters in (('vgg16', 10, 7_635_264), ('vgg19', 12, 10_585_152)):
        judge = VggRecognition(name, vgg_state(name, VGG))
        assert sum(p.ndim == 4 for p in judge.parameters()) == convolutions
        # The sums of 9 x in x out + out by hand.
        assert sum(p.numel() for p in judge.parameters()) == parameters


def assert_frozen(judge: Recognition) -> None:
    before = {name: value.clone() for name, value in judge.state_dict().items()}
    judge.train()
    image = torch.rand(2, 3, 48, 64, requires_grad=True)
    first = judge(image)
    sum(f.square().mean() for f in first).backward()  # type: ignore[union-attr]
    assert image.grad is not None and image.grad.any()
    assert all(not p.requires_grad and p.grad is None for p in judge.parameters())
    assert all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())
    # One image is judged alike in any company.
    torch.testing.assert_close(judge(image[:1])[-1], first[-1][:1], atol=1e-5, rtol=1e-4)


def test_vgg_is_frozen(tmp_path: Path, network: DepthNetwork, small_vgg: None) -> None:
    torch.save(vgg_state('vgg16'), tmp_path / 'vgg16.pth')
    assert_frozen(make_recognition(network, str(tmp_path / 'vgg16.pth')))


def test_without_weights_the_starting_encoder_judges(network: DepthNetwork) -> None:
    network.train()
    judge = make_recognition(network, None)
    assert 'source-trained content encoder' in judge.description
    assert_frozen(judge)
    assert [f.shape[-2:] for f in judge(torch.rand(1, 3, 48, 64))] == [
        (24, 32), (12, 16), (6, 8), (3, 4)]
    # The encoder goes on learning, its copy does not.
    image = torch.rand(1, 3, 48, 64)
    before = judge(image)[0]
    with torch.no_grad():
        for parameter in network.content_encoder.parameters():
            assert parameter.requires_grad
            parameter += 1
    torch.testing.assert_close(judge(image)[0], before, atol=0, rtol=0)
    assert network.training and network.content_encoder.training


def test_mobilenet_from_a_file(tmp_path: Path, network: DepthNetwork,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(recognition, 'start_encoder',
                        lambda encoder, path, images: asked.append((path, images.shape)))
    path = tmp_path / 'mobilenet_v2.npz'
    path.touch()
    judge = make_recognition(network, str(path))
    assert isinstance(judge, EncoderRecognition) and 'mobilenet_v2.npz' in judge.description
    assert asked == [(path, (1, 3, 64, 64))]
    assert judge(torch.rand(1, 3, 32, 32))[0].shape[1] == 16


@pytest.mark.parametrize('content', [
    b'', b'not weights', {'features.0.weight': torch.zeros(4, 3, 3, 3)}, [1, 2],
    {'features.zero.weight': torch.zeros(1)}, {}, torch.zeros(3), {'a': Path('x')}])
def test_files_that_are_none_are_named(content: object, tmp_path: Path, network: DepthNetwork,
                                       small_vgg: None) -> None:
    path = tmp_path / 'vgg16.pth'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(TrainingError, match=r'vgg16\.pth: not the vgg16 of torchvision') as error:
        make_recognition(network, str(path))
    assert '\n' not in str(error.value)


def test_other_wrong_files_are_named(tmp_path: Path, network: DepthNetwork,
                                     small_vgg: None) -> None:
    (tmp_path / 'vgg19.safetensors').write_bytes(b'\xff' * 99)
    (tmp_path / 'resnet.pth').write_bytes(b'x')
    for name, words in (('vgg19.safetensors', 'not the vgg19'), ('missing.pth', 'no such file'),
                        ('resnet.pth', 'not MobileNetV2')):
        with pytest.raises(TrainingError, match=f'{name}: {words}'):
            make_recognition(network, str(tmp_path / name))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_vgg: None) -> Path:
    """Serve VGG-16 of a sixteenth of the channels instead of torchvision's."""
    served = tmp_path / 'served.pth'
    torch.save(vgg_state('vgg16'), served)
    digest = hashlib.sha256(served.read_bytes()).hexdigest()
    monkeypatch.setitem(URLS, 'vgg16', f'https://example.org/vgg16-{digest[:8]}.pth')
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    return served


def test_download_once(hub: Path, tmp_path: Path, network: DepthNetwork,
                       monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def serve(url: str, path: str, prefix: str, progress: bool) -> None:
        calls.append((url, prefix))
        Path(path).write_bytes(hub.read_bytes())

    monkeypatch.setattr(torch.hub, 'download_url_to_file', serve)
    image = torch.rand(1, 3, 16, 16)
    first, second = (make_recognition(network, 'vgg16')(image) for _ in range(2))
    assert len(calls) == 1 and calls[0][0] == URLS['vgg16']
    assert calls[0][1] in URLS['vgg16'] and len(calls[0][1]) == 8
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(first[-1], plain_vgg('vgg16', vgg_state('vgg16'), image)[-1])
    # What lies in the cache is checked again: it may be cut off or somebody else's.
    cached, = (tmp_path / 'hub' / 'checkpoints').iterdir()
    cached.write_bytes(hub.read_bytes()[:-7])
    with pytest.raises(TrainingError, match=f'{cached.name}: its SHA-256 begins with .* remove'):
        make_recognition(network, 'vgg16')


def test_downloads_that_fail(hub: Path, tmp_path: Path, network: DepthNetwork,
                             monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(url: str, path: str, prefix: str, progress: bool) -> None:
        raise RuntimeError(f'invalid hash value (expected "{prefix}", got "00000000")')

    def offline(url: str, path: str, prefix: str, progress: bool) -> None:
        raise ConnectionError('network is unreachable')

    for serve, words in ((cut_off, 'invalid hash'), (offline, 'unreachable')):
        monkeypatch.setattr(torch.hub, 'download_url_to_file', serve)
        with pytest.raises(TrainingError, match=f'vgg16-.*{words}.*--recognition'):
            make_recognition(network, 'vgg16')


def test_half_size_is_the_mean_of_four() -> None:
    image = torch.arange(16.).view(1, 1, 4, 4)
    assert half_size(image).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
