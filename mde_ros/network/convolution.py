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

"""The one building block: convolution, separate batch norm, style, activation."""

import torch
from torch import nn
from torch.nn import functional

from mde_ros.network.batch_norm import SeparateBatchNorm2d


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return TensorFlow's SAME padding (before, after) of one side; asymmetric at stride 2."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class ConvNormAct(nn.Module):
    """
    Convolution (SAME padding), separate batch norm, optional style, optional activation.

    The style enters after the normalisation, ``(1 + gamma) * x + beta`` ('film') or
    ``x + beta`` ('add'), from a projection that starts at zero: an untrained style changes
    nothing, and a constant style folds into the convolution.

    :param style_channels: length of the style code, 0 for none.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1,
                 groups: int = 1, activation: str = 'relu6', affine: str = 'shared',
                 style_channels: int = 0, style_mode: str = 'none') -> None:
        super().__init__()
        self.kernel, self.stride, self.activation = kernel, stride, activation
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm: nn.Module = SeparateBatchNorm2d(outputs, affine)
        self.style_mode = style_mode if style_channels else 'none'
        self.style: nn.Linear | None = None
        if self.style_mode != 'none':
            self.style = nn.Linear(style_channels, outputs * (2 if style_mode == 'film' else 1))
            nn.init.zeros_(self.style.weight)
            nn.init.zeros_(self.style.bias)

    def pad(self, features: torch.Tensor) -> torch.Tensor:
        """Pad N x C x H x W features as SAME does."""
        top, bottom = same_padding(features.shape[-2], self.kernel, self.stride)
        left, right = same_padding(features.shape[-1], self.kernel, self.stride)
        if top == bottom == left == right == 0:
            return features
        return functional.pad(features, (left, right, top, bottom))

    def convolve(self, features: torch.Tensor) -> torch.Tensor:
        """Return the convolution alone; symmetric padding is left to the convolution."""
        # oneDNN has no fast gradient of a strided depthwise convolution in bfloat16: it takes
        # 1.3 to 8 times as long as in float32, an eighth of a whole training step.
        if (self.stride > 1 and self.conv.groups > 1 and features.dtype == torch.bfloat16
                and features.device.type == 'cpu' and torch.is_grad_enabled()):
            with torch.autocast('cpu', enabled=False):
                return self._convolve(features.float()).to(features.dtype)
        return self._convolve(features)

    def _convolve(self, features: torch.Tensor) -> torch.Tensor:
        top, bottom = same_padding(features.shape[-2], self.kernel, self.stride)
        left, right = same_padding(features.shape[-1], self.kernel, self.stride)
        if top == bottom and left == right:
            conv = self.conv
            return functional.conv2d(features, conv.weight, conv.bias, conv.stride,
                                     (top, left), conv.dilation, conv.groups)
        return self.conv(self.pad(features))

    def modulation(self, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (gamma, beta), each N x C, of N x S style codes; gamma is 0 for 'add'."""
        assert self.style is not None
        code = self.style(style)
        if self.style_mode == 'film':
            gamma, beta = code.chunk(2, 1)
            return gamma, beta
        return torch.zeros_like(code), code

    def forward(self, features: torch.Tensor, style: torch.Tensor | None = None) -> torch.Tensor:
        """Return N x C' x ceil(H / stride) x ceil(W / stride); ``style`` is N x S or None."""
        features = self.norm(self.convolve(features))
        if self.style is not None and style is not None:
            gamma, beta = self.modulation(style)
            features = features * (1 + gamma[..., None, None]) + beta[..., None, None]
        if self.activation == 'relu6':
            return functional.relu6(features)
        if self.activation == 'relu':
            return functional.relu(features)
        return features
