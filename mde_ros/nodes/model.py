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

"""The network in use: how it is made from the parameters, and exchanged while frames come in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
import os
import sys
import time
from typing import Protocol

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError
from mde_ros.evaluation.estimator_like import EstimatorLike
from mde_ros.nodes.parameters import Settings


class CameraEstimator(EstimatorLike, Protocol):
    """What the node runs: see :class:`mde_ros.estimation.estimator.DepthEstimator`."""

    def network_intrinsics(self, intrinsics: Intrinsics) -> Intrinsics:
        """Return the intrinsics of what the network sees."""


EstimatorFactory = Callable[[Settings], CameraEstimator]


def thread_count(settings: Settings) -> int:
    """Return the CPU threads of the network: by default one core is left to DDS and the rest."""
    return settings.threads or max(1, (os.cpu_count() or 2) - 1)


def make_estimator(settings: Settings) -> CameraEstimator:
    """
    Return the estimator that the parameters describe.

    :raises mde_ros.errors.MdeError: for weights or a device that cannot be used.
    """
    # Only here, so that importing the node (for its parameters, say) does not load PyTorch.
    from mde_ros.estimation.estimator import DepthEstimator
    return DepthEstimator(
        settings.weights, input_area=settings.input_area or None,
        threads=thread_count(settings), device=settings.device)


def use_threads(count: int) -> None:
    """Set PyTorch's threads for the calling thread: its setting belongs to each thread."""
    torch = sys.modules.get('torch')
    if torch is not None:  # else the estimator is none of PyTorch's
        torch.set_num_threads(count)


@dataclass(frozen=True)
class Model:
    """An estimator and the settings that it was made from."""

    estimator: CameraEstimator
    settings: Settings


class Swappable(Protocol):
    """Whatever uses a model; see :class:`mde_ros.nodes.frame_processor.FrameProcessor`."""

    model: Model

    def swap(self, model: Model) -> None:
        """Use another model from the next frame on."""


class BetweenFrames(Protocol):
    """See :meth:`mde_ros.nodes.worker.Worker.between_frames`."""

    def between_frames(self, action: Callable[[], None]) -> None:
        """Call ``action`` while no frame is in work."""


def reload_model(make: EstimatorFactory, settings: Settings, user: Swappable,
                 worker: BetweenFrames | None, cameras: Iterable[Intrinsics]
                 ) -> tuple[bool, str]:
    """
    Load another model, warm it up on the cameras, swap it in; keep the old one if that fails.

    Frames go on being processed by the old model meanwhile.

    :return: whether it was swapped, and one line to answer with.
    """
    kept = user.model.estimator.model_id
    began = time.perf_counter()
    try:
        model = Model(make(settings), settings)
        for intrinsics in cameras:
            model.estimator.warm_up(intrinsics)
    except MdeError as error:
        return False, f'kept {kept}: {error}'
    except Exception as error:  # noqa: BLE001
        # Whatever a foreign file provokes in a library, the running network goes on.
        return False, f"kept {kept}: {type(error).__name__}: {' '.join(str(error).split())}"
    if worker is None:
        user.swap(model)
    else:
        worker.between_frames(lambda: user.swap(model))
    return True, (f'{model.estimator.model_id} replaces {kept}, loaded in '
                  f'{time.perf_counter() - began:.2f} s')
