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

"""The network in PyTorch: eager, or compiled by torch.compile."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn

from mde_ros.estimation.backends.base import (
    Backend, BackendError, BF16, EngineSpec, FP16, FP32, need_precision)
from mde_ros.network.depth_network import DepthNetwork, normalise

_TYPES = {FP32: torch.float32, BF16: torch.bfloat16, FP16: torch.float16}


class _PixelsToDepth(nn.Module):
    """From uint8 pixels to canonical metres: one graph for the compiler."""

    def __init__(self, network: DepthNetwork, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return N x h x w of N x H x W x 3."""
        image = normalise(pixels.permute(0, 3, 1, 2)).to(self.dtype)
        depth: torch.Tensor = torch.exp(self.network(image).float())[:, 0]
        return depth


class TorchBackend(Backend):
    """
    PyTorch on any of its devices; the reference of all other back ends.

    :param network: folded; it is moved to the device, not copied.
    :param compiled: through torch.compile, which takes a C++ compiler and half a minute.
    :raises BackendError: for a device that is not there, or when nothing can be compiled.
    """

    def __init__(self, network: DepthNetwork, spec: EngineSpec, compiled: bool = False) -> None:
        super().__init__(spec)
        self.name = 'compile' if compiled else 'torch'
        need_precision(self.name, spec.precision, tuple(_TYPES))
        try:
            self.device = torch.device(spec.device)
            network = network.to(self.device, _TYPES[spec.precision]).to(
                memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (RuntimeError, AssertionError) as error:
            raise BackendError(f"device '{spec.device}' cannot be used: "
                               f'{str(error).splitlines()[0]}') from error
        if spec.precision != FP32:
            # Depth in 16 bits would have steps of 1 to 3 %.
            network.decoder.head.float()
        self._run: Any = _PixelsToDepth(network, _TYPES[spec.precision]).eval()
        self._pixels = torch.from_numpy(self.images)
        if compiled:
            self._run = torch.compile(self._run)
            try:
                self.run()
            except Exception as error:
                # A missing compiler shows as any of a dozen exceptions.
                reason = ' '.join(str(error).split())[:120]
                raise BackendError(f"backend 'compile' failed: {reason}; install a C++ compiler, "
                                   'or use onnx, openvino or torch') from error

    def run(self) -> NDArray[np.float32]:
        """Return the depth of the images."""
        with torch.inference_mode():
            depth: NDArray[np.float32] = self._run(self._pixels.to(self.device)).cpu().numpy()
        return depth
