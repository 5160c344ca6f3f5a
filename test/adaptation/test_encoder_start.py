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

"""Starting the encoder from ImageNet weights: the same function as the file's network."""

import json
from pathlib import Path
import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray
import pytest
from safetensors.torch import save_file
import torch
from torch.nn import functional

from mde_ros.adaptation.encoder_start import start_encoder
from mde_ros.adaptation.errors import TrainingError
from mde_ros.network.batch_norm import batch_norms, DOMAINS, SOURCE, use_domain
from mde_ros.network.content_encoder import ContentEncoder, STAGES
from mde_ros.network.convolution import ConvNormAct

Arrays = dict[str, NDArray[np.float32]]
REAL = Path(__file__).resolve().parents[3] / 'shared/weights/mobilenet_v2_1.0_224_dequant.npz'


def layers() -> list[tuple[int, int, int, int, str]]:
    """Return (inputs, outputs, kernel, stride, activation) of MobileNetV2 1.0 from its table."""
    found, channels = [(3, 32, 3, 2, 'relu6')], 32
    for expansion, outputs, repeats, stride in STAGES:
        for repeat in range(repeats):
            hidden = channels * expansion
            if expansion != 1:
                found.append((channels, hidden, 1, 1, 'relu6'))
            found.append((0, hidden, 3, 1 if repeat else stride, 'relu6'))
            found.append((hidden, outputs, 1, 1, 'none'))
            channels = outputs
    return found


def folded_arrays() -> Arrays:
    """Return random folded convolutions in TensorFlow Lite's order, and a classifier."""
    rng = np.random.default_rng(0)
    arrays = {}
    for number, (inputs, outputs, kernel, _, _) in enumerate([*layers(), (320, 11, 1, 1, '')]):
        shape = ((outputs, kernel, kernel, inputs) if inputs else (1, kernel, kernel, outputs))
        scale = (2 / (kernel * kernel * max(inputs, 1))) ** .5
        arrays[f'{number:02d}_w'] = rng.normal(0, scale, shape).astype(np.float32)
        arrays[f'{number:02d}_b'] = rng.normal(0, .3, outputs).astype(np.float32)
    return arrays


def convolve(x: torch.Tensor, weight: NDArray[np.float32], bias: NDArray[np.float32],
             depthwise: bool, stride: int, activation: str) -> torch.Tensor:
    """Return a TensorFlow Lite convolution with SAME padding."""
    kernel = torch.from_numpy(weight).permute((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
    pads = []
    for side in (-1, -2):
        total = max((-(-x.shape[side] // stride) - 1) * stride + kernel.shape[side]
                    - x.shape[side], 0)
        pads += [total // 2, total - total // 2]
    out = functional.conv2d(functional.pad(x, pads), kernel, torch.from_numpy(bias), stride,
                            groups=x.shape[1] if depthwise else 1)
    return out.clamp(0, 6) if activation == 'relu6' else out


def reference(arrays: Arrays, image: torch.Tensor) -> torch.Tensor:
    """Return the top features of the folded network, computed from its table."""
    x = shortcut = image
    for number, (inputs, _, _, stride, activation) in enumerate(layers()):
        if (inputs and activation == 'relu6') or number == 1:
            shortcut = x  # the input of a block: its expansion, or the first one's depthwise
        x = convolve(x, arrays[f'{number:02d}_w'], arrays[f'{number:02d}_b'], not inputs, stride,
                     activation)
        if activation == 'none' and shortcut.shape == x.shape:
            x = x + shortcut
    return x


def images(size: int = 64, count: int = 2) -> torch.Tensor:
    """Return random images in [-1, 1]."""
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope='module')
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of folded convolutions."""
    path = tmp_path_factory.mktemp('npz') / 'folded.npz'
    np.savez(path, **folded_arrays())
    return path


@pytest.mark.parametrize('affine', ['shared', 'separate'])
def test_folded_convolutions_are_the_same_function_afterwards(npz: Path, affine: str) -> None:
    encoder = ContentEncoder(1., affine)
    sentence = start_encoder(encoder, npz, images())
    assert sentence.endswith('(folded.npz)')
    assert encoder.training  # as it was
    encoder.eval()
    other = images(48, 1).flip(3)  # not those that were measured
    with torch.no_grad():
        expected = reference(folded_arrays(), other)
        for domain in DOMAINS:
            with use_domain(encoder, domain):
                found = encoder(other)[-1]
            assert expected.std() > .1
            assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


def test_statistics_are_those_of_the_images(npz: Path) -> None:
    encoder = ContentEncoder()
    start_encoder(encoder, npz, images())
    with torch.no_grad():
        out = encoder.stem.convolve(images())
    for domain in DOMAINS:
        mean, variance = encoder.stem.norm.statistics(domain)
        assert torch.allclose(mean, out.mean((0, 2, 3)), atol=1e-5)
        assert torch.allclose(variance, out.var((0, 2, 3), unbiased=False), rtol=1e-3)
    # So that in training nothing jumps either.
    with torch.no_grad(), use_domain(encoder, SOURCE):
        training = encoder(images())[0]
        evaluation = encoder.eval()(images())[0]
    assert (training - evaluation).abs().max() < .01 * evaluation.abs().max()


def test_a_dead_channel_divides_by_nothing(npz: Path, tmp_path: Path) -> None:
    arrays = folded_arrays()
    arrays['00_w'][5] = 0
    np.savez(tmp_path / 'dead.npz', **arrays)
    encoder = ContentEncoder()
    start_encoder(encoder, tmp_path / 'dead.npz', images())
    encoder.eval()
    with torch.no_grad():
        found, expected = encoder(images())[-1], reference(arrays, images())
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()
    assert all(value.isfinite().all() for value in encoder.state_dict().values())


@pytest.mark.skipif(not REAL.is_file(), reason='no ImageNet weights beside this checkout')
def test_the_real_file_against_its_own_graph() -> None:
    encoder = ContentEncoder()
    start_encoder(encoder, REAL, images())
    graph: list[dict[str, Any]] = json.loads(REAL.with_suffix('.json').read_text())['ops']
    image = images(96, 1)
    tensors = {graph[0]['inp'][0]: image}
    with np.load(REAL) as arrays:
        for op in graph:
            first = tensors[op['inp'][0]]
            if op['op'] == 'ADD':
                out = first + tensors[op['inp'][1]]
            else:
                out = convolve(first, arrays[op['w'] + '_w'], arrays[op['w'] + '_b'],
                               op['op'] == 'DEPTHWISE_CONV_2D', op['stride'][0], op['act'])
            tensors[op['out'][0]] = out
            if out.shape[1] == 320:
                break
    with torch.no_grad():
        found = encoder.eval()(image)[-1]
    assert out.std() > .1
    assert (found - out).abs().max() < 1e-3


def torchvision_state() -> dict[str, torch.Tensor]:
    """Return random tensors under the names and in the order of torchvision's mobilenet_v2."""
    torch.manual_seed(2)
    names = ['features.0.0']
    for number in range(1, 18):
        parts = ('0.0', '1') if number == 1 else ('0.0', '1.0', '2')
        names += [f'features.{number}.conv.{part}' for part in parts]
    state = {}
    for name, (inputs, outputs, kernel, _, _) in zip(
            [*names, 'features.18.0'], [*layers(), (320, 1280, 1, 1, '')], strict=True):
        stem, _, index = name.rpartition('.')
        norm = f'{stem}.{int(index) + 1}'
        state[f'{name}.weight'] = torch.randn(outputs, inputs or 1, kernel, kernel)
        state[f'{norm}.weight'] = torch.rand(outputs) + .5
        state[f'{norm}.bias'] = torch.randn(outputs)
        state[f'{norm}.running_mean'] = torch.randn(outputs)
        state[f'{norm}.running_var'] = torch.rand(outputs) * .01 + 1e-4
        state[f'{norm}.num_batches_tracked'] = torch.tensor(7)
    state['classifier.1.weight'], state['classifier.1.bias'] = torch.zeros(9, 1280), torch.zeros(9)
    return state


def save(path: Path, state: object) -> Path:
    """Write a state dict in the form that the name asks for."""
    if path.suffix == '.safetensors':
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


@pytest.mark.parametrize('name', ['mobilenet_v2.pth', 'mobilenet_v2.safetensors'])
@pytest.mark.parametrize('affine', ['shared', 'separate'])
def test_torchvisions_layers_are_the_same_afterwards(tmp_path: Path, name: str,
                                                     affine: str) -> None:
    state = torchvision_state()
    encoder = ContentEncoder(1., affine)
    assert name in start_encoder(encoder, save(tmp_path / name, state), torch.empty(0))
    blocks = [module for module in encoder.modules() if isinstance(module, ConvNormAct)]
    kernels = [key for key, value in state.items()
               if value.ndim == 4 and not key.startswith('features.18')]
    assert len(blocks) == len(kernels)
    for block, key in zip(blocks[1:], kernels[1:]):
        assert torch.equal(block.conv.weight, state[key])
        stem, _, index = key.removesuffix('.weight').rpartition('.')
        norm = f'{stem}.{int(index) + 1}.'
        scale = state[norm + 'weight'] / torch.sqrt(state[norm + 'running_var'] + 1e-5)
        shift = state[norm + 'bias'] - state[norm + 'running_mean'] * scale
        for domain in DOMAINS:
            our_scale, our_shift = block.norm.folded(domain)
            assert torch.allclose(our_scale, scale, rtol=1e-4)
            assert torch.allclose(our_shift, shift, rtol=1e-4, atol=1e-3)
            assert torch.equal(block.norm.statistics(domain)[0], state[norm + 'running_mean'])


def test_torchvisions_input_range_is_undone(tmp_path: Path) -> None:
    state = torchvision_state()
    encoder = ContentEncoder().eval()
    start_encoder(encoder, save(tmp_path / 'm.pth', state), torch.empty(0))
    colour = torch.rand(1, 3, 9, 9)
    normalised = (colour - torch.tensor([.485, .456, .406])[:, None, None]) / torch.tensor(
        [.229, .224, .225])[:, None, None]
    theirs = functional.batch_norm(
        functional.conv2d(normalised, state['features.0.0.weight'], stride=2, padding=1),
        *(state[f'features.0.1.{n}'] for n in ('running_mean', 'running_var', 'weight', 'bias')),
        eps=1e-5).clamp(0, 6)
    with torch.no_grad():
        ours = encoder.stem(colour * 2 - 1)
    # At odd size our padding is torchvision's. Its border is the mean colour, ours grey.
    assert ours.shape == theirs.shape == (1, 32, 5, 5)
    assert torch.allclose(ours[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1], atol=1e-3)


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        """Return what unpickling calls."""
        return open, (self.path, 'w')


def refused(path: Path, words: str, width: float = 1.) -> None:
    """Check that a file is refused in one line that names it."""
    with pytest.raises(TrainingError) as caught:
        start_encoder(ContentEncoder(width), path, images(32))
    message = str(caught.value)
    assert message.startswith(f'{path}: ') and words in message and '\n' not in message


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / 'none.npz', 'no such file; give MobileNetV2 weights to --encoder-start')
    refused(tmp_path, 'no such file')


def test_another_width(npz: Path, tmp_path: Path) -> None:
    refused(npz, 'kernel (32, 3, 3, 3) where (16, 3, 3, 3) is needed', .5)
    refused(save(tmp_path / 'm.pth', torchvision_state()), '(16, 3, 3, 3) is needed', .5)


def test_too_few_layers(tmp_path: Path) -> None:
    few = {k: v for k, v in folded_arrays().items() if k < '20'}
    np.savez(tmp_path / 'few.npz', **few)
    refused(tmp_path / 'few.npz', '20 convolutions where 51 are needed')
    state = {k: v for k, v in torchvision_state().items() if 'features.0' in k}
    refused(save(tmp_path / 'few.safetensors', state), '1 convolutions where 51 are needed')


def test_a_missing_tensor(tmp_path: Path) -> None:
    state = torchvision_state()
    del state['features.7.conv.1.1.running_var']
    refused(save(tmp_path / 'm.pth', state), 'features.7.conv.1.1.running_var')
    arrays = folded_arrays()
    del arrays['07_b']
    np.savez(tmp_path / 'm.npz', **arrays)
    refused(tmp_path / 'm.npz', '07_b')


@pytest.mark.parametrize('content', [b'', b'hello world' * 9, b'PK\x03\x04 not really'])
@pytest.mark.parametrize('suffix', ['npz', 'pth', 'safetensors'])
def test_files_of_something_else(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f'file.{suffix}'
    path.write_bytes(content)
    refused(path, 'not MobileNetV2 1.0 weights')


@pytest.mark.parametrize('content', [[1, 2], torch.zeros(3), {'model': 5}])
def test_other_things_in_a_pth(tmp_path: Path, content: object) -> None:
    refused(save(tmp_path / 'm.pth', content), 'not MobileNetV2 1.0 weights')


@pytest.mark.parametrize('suffix', ['npz', 'pth'])
def test_a_pickle_is_never_unpickled(tmp_path: Path, suffix: str) -> None:
    trace = tmp_path / 'executed'
    path = tmp_path / f'bomb.{suffix}'
    path.write_bytes(pickle.dumps(Bomb(str(trace)), protocol=2))
    refused(path, 'not MobileNetV2 1.0 weights')
    torch.save({'features.0.0.weight': Bomb(str(trace))}, tmp_path / 'inside.pth')
    refused(tmp_path / 'inside.pth', 'not MobileNetV2 1.0 weights')
    assert not trace.exists()


def test_every_layer_of_the_encoder_is_started(npz: Path) -> None:
    encoder = ContentEncoder()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    start_encoder(encoder, npz, images())
    assert len(batch_norms(encoder)) == 51
    same = [name for name, value in encoder.state_dict().items()
            if torch.equal(value, before[name])]
    assert not same
