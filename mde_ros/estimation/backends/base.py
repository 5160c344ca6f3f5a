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

"""The interface of everything that runs the network."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError

FP32, BF16, FP16, INT8 = 'fp32', 'bf16', 'fp16', 'int8'
PRECISIONS = (FP32, BF16, FP16, INT8)


class BackendError(MdeError):
    """A back end, precision or device that cannot be used; the message names the parameter."""


@dataclass(frozen=True)
class EngineSpec:
    """
    What an engine is made for.

    :param width: of the network's input, pixels.
    :param height: likewise.
    :param precision: one of :data:`PRECISIONS`.
    :param batch: images at once.
    :param threads: CPU threads, 0 for the library's own choice.
    :param device: as PyTorch names it: 'cpu', 'cuda' or 'cuda:1'.
    """

    width: int
    height: int
    precision: str = FP32
    batch: int = 1
    threads: int = 0
    device: str = 'cpu'

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """Return the shape of the input: N, H, W, 3."""
        return self.batch, self.height, self.width, 3

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Return the shape of the output: N and half the sides, rounded up."""
        return self.batch, -(-self.height // 2), -(-self.width // 2)


class Backend(ABC):
    """
    One network, one input size, ready to run.

    Write the images into :attr:`images`, call :meth:`run`. Nothing is copied in between. Not for
    two callers at the same time.
    """

    #: Name as the parameter ``backend`` has it.
    name: str

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        #: N x H x W x 3 uint8 RGB, what the network sees; kept, to be written to.
        self.images: NDArray[np.uint8] = np.zeros(spec.input_shape, np.uint8)

    @abstractmethod
    def run(self) -> NDArray[np.float32]:
        """
        Return the depth of :attr:`images`.

        :return: N x h x w float32, metres of a camera of the canonical focal length; valid until
            the next run.
        """


def need_precision(name: str, precision: str, allowed: tuple[str, ...], why: str = '') -> None:
    """
    Check that a back end has a precision.

    :raises BackendError: naming those that it has.
    """
    if precision not in allowed:
        raise BackendError(f"precision '{precision}': backend '{name}' has "
                           f"{', '.join(allowed)}{why}")


def need_library(backend: str, module: str, package: str) -> str:
    """
    Return the version of a library that a back end needs.

    :raises BackendError: saying how to install it.
    """
    if find_spec(module) is None:
        raise BackendError(f"backend '{backend}' needs {package}: pip install {package}, or set "
                           'backend to torch or auto')
    try:
        return version(package)
    except PackageNotFoundError:  # installed under another name, such as onnxruntime-gpu
        return 'unknown'
