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

"""Starting the content encoder from ImageNet: MobileNetV2 weights from files."""

from collections.abc import Callable
from pathlib import Path
import pickle
import re
import zipfile

import numpy as np
from safetensors import SafetensorError
import torch

from mde_ros.adaptation.errors import TrainingError
from mde_ros.network.batch_norm import DOMAINS, SeparateBatchNorm2d
from mde_ros.network.content_encoder import ContentEncoder
from mde_ros.network.convolution import ConvNormAct

# The input normalisation and batch norm eps of torchvision's weights.
TORCHVISION_MEAN = (.485, .456, .406)
TORCHVISION_STD = (.229, .224, .225)
TORCHVISION_EPS = 1e-5


def start_encoder(encoder: ContentEncoder, path: str | Path, images: torch.Tensor) -> str:
    """
    Load MobileNetV2 1.0 into ``encoder``.

    Two forms are read: the .npz of folded convolutions ('<operation>_w', '<operation>_b',
    kernels as TensorFlow Lite orders them), where batch norm is put back by measuring, and
    torchvision's state dict (.safetensors or .pth).

    :param images: N x 3 x H x W in [-1, 1], to measure batch statistics on (.npz only).
    :return: a sentence for the weight card.
    :raises TrainingError: naming the file, when it is not such weights.
    """
    path = Path(path)
    if not path.is_file():
        raise TrainingError(f'{path}: no such file; give MobileNetV2 weights to --encoder-start')
    try:
        if path.suffix == '.npz':
            _load_folded(encoder, path, images)
        else:
            _load_torchvision(encoder, path)
    except (KeyError, ValueError, RuntimeError, OSError, EOFError, AttributeError, TypeError,
            zipfile.BadZipFile, pickle.UnpicklingError, SafetensorError) as error:
        reason = ' '.join(str(error).split())[:160]
        raise TrainingError(f'{path}: not MobileNetV2 1.0 weights: {reason}') from error
    return f'content encoder started from ImageNet MobileNetV2 1.0 ({path.name})'


def _blocks(encoder: ContentEncoder) -> list[ConvNormAct]:
    return [module for module in encoder.modules() if isinstance(module, ConvNormAct)]


def _load_folded(encoder: ContentEncoder, path: Path, images: torch.Tensor) -> None:
    with np.load(path) as arrays:
        numbers = sorted(key[:-2] for key in arrays if key.endswith('_w'))
        # Kernel order: [out, kh, kw, in], depthwise [1, kh, kw, channels].
        pairs = [(torch.from_numpy(arrays[n + '_w']), torch.from_numpy(arrays[n + '_b']))
                 for n in numbers]
    blocks = _blocks(encoder)
    if len(pairs) < len(blocks):
        raise ValueError(f'{len(pairs)} convolutions where {len(blocks)} are needed')
    with torch.no_grad():
        for block, (kernel, _) in zip(blocks, pairs):
            depthwise = block.conv.groups > 1
            kernel = kernel.permute(3, 0, 1, 2) if depthwise else kernel.permute(0, 3, 1, 2)
            if kernel.shape != block.conv.weight.shape:
                raise ValueError(f'kernel {tuple(kernel.shape)} where '
                                 f'{tuple(block.conv.weight.shape)} is needed')
            block.conv.weight.copy_(kernel)
        hooks = [block.register_forward_pre_hook(_restore_batch_norm(bias))
                 for block, (_, bias) in zip(blocks, pairs)]
        was_training = encoder.training
        encoder.eval()(images)
        encoder.train(was_training)
        for hook in hooks:
            hook.remove()


def _restore_batch_norm(bias: torch.Tensor
                        ) -> Callable[[ConvNormAct, tuple[torch.Tensor, ...]], None]:
    """Return a hook that sets a layer's batch norm so that it adds ``bias`` and no more."""
    def set_statistics(block: ConvNormAct, inputs: tuple[torch.Tensor, ...]) -> None:
        out = block.convolve(inputs[0])
        norm = block.norm
        assert isinstance(norm, SeparateBatchNorm2d)
        variance, mean = torch.var_mean(out, (0, 2, 3), unbiased=False)
        # A channel that is constant on these images would divide by nothing later.
        variance = variance.clamp(min=1e-3)
        for domain in DOMAINS:
            running_mean, running_variance = norm.statistics(domain)
            weight, shift = norm.scale_and_shift(domain)
            running_mean.copy_(mean)
            running_variance.copy_(variance)
            weight.copy_(torch.sqrt(variance + norm.eps))
            shift.copy_(mean + bias)
    return set_statistics


def _load_torchvision(encoder: ContentEncoder, path: Path) -> None:
    if path.suffix == '.safetensors':
        from safetensors.torch import load_file
        state = load_file(path)
    else:
        state = torch.load(path, map_location='cpu', weights_only=True)
    # features.0.0 .. features.17.conv.N: convolution weights (4-d), each followed by its norm.
    # safetensors stores names sorted as text: put features.10 behind features.9.
    convs = sorted((key for key, value in state.items()
                    if key.startswith('features.') and value.ndim == 4),
                   key=lambda key: [int(number) for number in re.findall(r'\d+', key)])
    blocks = _blocks(encoder)
    if len(convs) < len(blocks):
        raise ValueError(f'{len(convs)} convolutions where {len(blocks)} are needed')
    with torch.no_grad():
        for block, key in zip(blocks, convs):
            kernel, own = state[key], block.conv.weight
            if kernel.shape != own.shape:
                raise ValueError(f'{key} is {tuple(kernel.shape)} where {tuple(own.shape)} '
                                 'is needed')
            stem, index = key.removesuffix('.weight').rsplit('.', 1)
            norm = f'{stem}.{int(index) + 1}'
            mean, variance, weight, bias = (
                state[f'{norm}.{field}']
                for field in ('running_mean', 'running_var', 'weight', 'bias'))
            if block is encoder.stem:
                kernel, mean = _for_our_input(kernel, mean)
            own.copy_(kernel)
            assert isinstance(block.norm, SeparateBatchNorm2d)
            # The same scale with our eps, which is larger.
            weight = weight * torch.sqrt(
                (variance + block.norm.eps) / (variance + TORCHVISION_EPS))
            for domain in DOMAINS:
                for ours, theirs in zip((*block.norm.statistics(domain),
                                         *block.norm.scale_and_shift(domain)),
                                        (mean, variance, weight, bias)):
                    ours.copy_(theirs)


def _for_our_input(kernel: torch.Tensor, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first kernel and running mean for images in [-1, 1], not torchvision's range."""
    # torchvision's input is (ours / 2 + 1 / 2 - MEAN) / STD.
    offset = (.5 - torch.tensor(TORCHVISION_MEAN)) / torch.tensor(TORCHVISION_STD)
    scaled = kernel * (.5 / torch.tensor(TORCHVISION_STD))[:, None, None]
    return scaled, mean - (kernel * offset[:, None, None]).sum((1, 2, 3))
