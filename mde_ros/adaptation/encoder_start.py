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

from pathlib import Path

import numpy as np
import torch

from mde_ros.adaptation.errors import TrainingError
from mde_ros.network.batch_norm import DOMAINS, SeparateBatchNorm2d
from mde_ros.network.content_encoder import ContentEncoder
from mde_ros.network.convolution import ConvNormAct


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
    except (KeyError, ValueError, RuntimeError, OSError) as error:
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


def _restore_batch_norm(bias: torch.Tensor):  # type: ignore[no-untyped-def]
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
    # features.0.0 .. features.17.conv.N: convolution weights (4-d) each followed by its norm.
    convs = [key for key, value in state.items()
             if key.startswith('features.') and value.ndim == 4]
    blocks = _blocks(encoder)
    with torch.no_grad():
        for block, key in zip(blocks, convs, strict=False):
            block.conv.weight.copy_(state[key])
            stem, index = key.removesuffix('.weight').rsplit('.', 1)
            norm = f'{stem}.{int(index) + 1}'
            assert isinstance(block.norm, SeparateBatchNorm2d)
            for domain in DOMAINS:
                mean, variance = block.norm.statistics(domain)
                weight, bias = block.norm.scale_and_shift(domain)
                mean.copy_(state[norm + '.running_mean'])
                variance.copy_(state[norm + '.running_var'])
                weight.copy_(state[norm + '.weight'])
                bias.copy_(state[norm + '.bias'])
    if len(convs) < len(blocks):
        raise ValueError(f'{len(convs)} convolutions where {len(blocks)} are needed')
