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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
import os
from pathlib import Path
import sys
import time
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.errors import MdeError
from mde_ros.evaluation.estimator_like import EstimateLike, EstimatorLike
from mde_ros.nodes.parameters import Settings


class CameraEstimator(EstimatorLike, Protocol):
    """What the node runs: see :class:`mde_ros.estimation.estimator.DepthEstimator`."""

    def network_intrinsics(self, intrinsics: Intrinsics) -> Intrinsics:
        """Return the intrinsics of what the network sees."""

    def estimate_batch(self, images: Sequence[NDArray[np.uint8]],
                       intrinsics: Sequence[Intrinsics]) -> Sequence[EstimateLike]:
        """Return depth of several images, of one run of the network where their sizes allow."""


CAMERA = '{camera}'

EstimatorFactory = Callable[[Settings], CameraEstimator]


def thread_count(settings: Settings) -> int:
    """Return the CPU threads of the network: by default one core is left to DDS and the rest."""
    return settings.threads or max(1, (os.cpu_count() or 2) - 1)


def make_estimator(settings: Settings) -> CameraEstimator:
    """
    Return the estimator that the parameters describe.

    A profile folder that is not there yet, as before a camera was first adapted, means no profile.

    :raises mde_ros.errors.MdeError: for weights, a profile, a device, a back end or an engine that
        cannot be used.
    """
    # Only here, so that importing the node (for its parameters, say) does not load PyTorch.
    from mde_ros.estimation.backends.cache import EngineCache
    from mde_ros.estimation.estimator import DepthEstimator
    profile, missing = settings.profile, ''
    if profile and not _exists(Path(profile)):
        profile, missing = '', (f"profile '{profile}': no such folder yet: the plain network is "
                                'used until a profile is made there and ~/reload_model called')
    estimator = DepthEstimator(
        settings.weights, profile=profile, input_area=settings.input_area or None,
        threads=thread_count(settings), device=settings.device, backend=settings.backend,
        precision=settings.precision, engine=settings.engine, cache=EngineCache(),
        batch=settings.batch)
    estimator.prepare()
    if missing:
        estimator.notices.append(missing)
    return estimator


def _exists(profile: Path) -> bool:
    """Return whether a profile is there, or named as a file, whose absence is an error."""
    return (profile.exists() or profile.suffix in ('.safetensors', '.json')
            or profile.with_name(profile.name + '.safetensors').exists())


def use_threads(count: int) -> None:
    """Set PyTorch's threads for the calling thread: its setting belongs to each thread."""
    torch = sys.modules.get('torch')
    if torch is not None:  # else the estimator is none of PyTorch's
        torch.set_num_threads(count)


@dataclass(frozen=True)
class Model:
    """
    Estimators and the settings that they were made from.

    :param estimator: of the cameras that have none of their own in ``by_camera``.
    """

    estimator: CameraEstimator
    settings: Settings
    by_camera: Mapping[str, CameraEstimator] = field(default_factory=dict)

    def of(self, camera: str) -> CameraEstimator:
        """Return the estimator of a camera."""
        return self.by_camera.get(camera, self.estimator)

    @property
    def estimators(self) -> list[CameraEstimator]:
        """Return each estimator once."""
        return list({id(e): e for e in (self.estimator, *self.by_camera.values())}.values())

    @property
    def together(self) -> bool:
        """Return whether any cameras share an estimator that takes their images at once."""
        return self.settings.batch > 1 and len(self.estimators) < len(self.settings.cameras)

    @property
    def model_id(self) -> str:
        """Return the ids of all estimators in one line."""
        return ', '.join(dict.fromkeys(e.model_id for e in self.estimators))

    @property
    def runs_on(self) -> str:
        """Return back end and precision, or the device of an estimator that does not say."""
        return ', '.join(dict.fromkeys(
            getattr(e, 'runs_on', self.settings.device) for e in self.estimators))

    @property
    def notices(self) -> list[str]:
        """Return what was wrong with profiles, in lines for the user."""
        return [line for e in self.estimators for line in getattr(e, 'notices', ())]

    def warm_up(self, cameras: Iterable[Intrinsics]) -> None:
        """Run every estimator once on what is known of the cameras."""
        for intrinsics in cameras:
            for estimator in self.estimators:
                estimator.warm_up(intrinsics)


def make_model(make: EstimatorFactory, settings: Settings) -> Model:
    """
    Return one estimator, or one for each profile where the parameter names the camera.

    :raises mde_ros.errors.MdeError: for what cannot be used.
    """
    if CAMERA not in settings.profile:
        return Model(make(settings), settings)
    made: dict[str, CameraEstimator] = {}
    for camera in settings.cameras:
        own = replace(settings, profile=settings.profile.replace(CAMERA, camera),
                      cameras=(camera,))
        made[camera] = make(own)
    return Model(made[settings.cameras[0]], settings, made)


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
    kept = user.model.model_id
    began = time.perf_counter()
    try:
        model = make_model(make, settings)
        model.warm_up(cameras)
    except MdeError as error:
        return False, f'kept {kept}: {error}'
    except Exception as error:  # noqa: BLE001
        # Whatever a foreign file provokes in a library, the running network goes on.
        return False, f"kept {kept}: {type(error).__name__}: {' '.join(str(error).split())}"
    if worker is None:
        user.swap(model)
    else:
        worker.between_frames(lambda: user.swap(model))
    return True, '; '.join((
        f'{model.model_id} replaces {kept}, loaded in {time.perf_counter() - began:.2f} s',
        *model.notices))
