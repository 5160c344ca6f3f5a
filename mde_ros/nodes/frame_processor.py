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

"""Image messages to their outputs: decode, pair, estimate, publish, count."""

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
import time

import numpy as np
from numpy.typing import NDArray
from rclpy.clock import Clock
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import whole_reduction
from mde_ros.datasets.image_codec import image_to_rgb, jpeg_size_of
from mde_ros.datasets.image_message import CodecError
from mde_ros.errors import MdeError
from mde_ros.evaluation.estimator_like import EstimateLike
from mde_ros.nodes.calibration import FrameError
from mde_ros.nodes.camera_stream import CameraStream
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.model import CameraEstimator, Model, thread_count, use_threads
from mde_ros.nodes.outputs import CameraOutputs, shrink
from mde_ros.nodes.parameters import Settings


@dataclass(frozen=True)
class _Frame:
    """What was read of a message; ``decode`` in seconds."""

    stream: CameraStream
    header: Header
    image: NDArray[np.uint8]
    intrinsics: Intrinsics
    estimator: CameraEstimator
    decode: float


class FrameProcessor:
    """
    Process the frames of all cameras, in the worker's thread.

    :param model: what to start with; :meth:`swap` replaces it between two frames.
    :param clock: the node's, so that ages follow use_sim_time.
    """

    def __init__(self, model: Model, streams: dict[str, CameraStream],
                 outputs: dict[str, CameraOutputs], complain: Complaints, clock: Clock) -> None:
        """Keep everything that a frame needs."""
        self.model = model
        self._streams, self._outputs = streams, outputs
        self._complain, self._clock = complain, clock
        self._threads_of: Model | None = None

    def swap(self, model: Model) -> None:
        """Use another model from the next frame on; call it between two frames."""
        self.model = model

    def process(self, taken: Sequence[tuple[str, Image | CompressedImage]],
                settings: Settings) -> None:
        """
        Process the frames of one or several cameras, each processed or counted for itself.

        Where the model takes several at once, those of one estimator and input size share a run
        of the network; the time of that run is divided among them.
        """
        model = self.model
        if model is not self._threads_of:
            use_threads(thread_count(model.settings))
            self._threads_of = model
        groups: dict[Hashable, list[_Frame]] = {}
        for number, (camera, message) in enumerate(taken):
            with self._counted(self._streams[camera]):
                frame = self._read(self._streams[camera], message, settings)
                groups.setdefault(self._group(frame) if model.together else number,
                                  []).append(frame)
        for frames in groups.values():
            began = time.perf_counter()
            estimates = self._batch(frames)
            share = (time.perf_counter() - began) / len(frames)
            for frame, estimate in zip(frames, estimates):
                with self._counted(frame.stream):
                    if estimate is None:
                        began = time.perf_counter()
                        estimate = frame.estimator.estimate(frame.image, frame.intrinsics)
                        share = time.perf_counter() - began
                    self._publish(frame, estimate, share, settings)

    def failed(self, camera: str, error: Exception) -> None:
        """Count a frame that a defect ended."""
        self._skip(self._streams[camera], 'internal error', (
            f'{self._streams[camera].topics.image}: internal error, please report it: {error!r}'))

    @contextmanager
    def _counted(self, stream: CameraStream) -> Iterator[None]:
        """Count and log what ends this frame, so that it ends no other."""
        try:
            yield
        except CodecError as error:
            self._skip(stream, 'bad image', f'{stream.topics.image}: {error}')
        except FrameError as error:
            self._skip(stream, error.reason, str(error))
        except MdeError as error:
            self._skip(stream, 'estimation failed', f'{stream.topics.image}: {error}')
        except Exception as error:  # noqa: BLE001
            self.failed(stream.camera, error)

    def _skip(self, stream: CameraStream, reason: str, line: str) -> None:
        stream.statistics.drop(reason)
        self._complain(f'{stream.camera} {reason}', line)

    def _read(self, stream: CameraStream, message: Image | CompressedImage,
              settings: Settings) -> _Frame:
        """Return picture and camera, both smaller where nothing of full size is published."""
        began = time.perf_counter()
        estimator = self.model.of(stream.camera)
        reduction, camera = self._reduced(stream, message, estimator) if (
            settings.depth_size == 'network') else (1, None)
        image = image_to_rgb(message, reduction)
        decode = time.perf_counter() - began
        if camera is None:
            camera = stream.calibration.of_image(message.header, image.shape[1], image.shape[0])
        return _Frame(stream, message.header, image, camera, estimator, decode)

    def _reduced(self, stream: CameraStream, message: Image | CompressedImage,
                 estimator: CameraEstimator) -> tuple[int, Intrinsics | None]:
        """Return by how much to decode a JPEG smaller, and its camera then; else 1 and None."""
        size = jpeg_size_of(message)
        if size is None:
            return 1, None
        try:
            camera = stream.calibration.of_image(message.header, *size)
        except FrameError:
            return 1, None  # said after decoding, which may say that the picture is corrupt
        by = whole_reduction(camera, estimator.network_intrinsics(camera))
        return (by, camera.resized(size[0] // by, size[1] // by)) if by > 1 else (1, None)

    @staticmethod
    def _group(frame: _Frame) -> Hashable:
        """Return what the frames of one run of the network have in common."""
        seen = frame.estimator.network_intrinsics(frame.intrinsics)
        return id(frame.estimator), seen.width, seen.height

    def _batch(self, frames: Sequence[_Frame]) -> Sequence[EstimateLike | None]:
        """Return what one run of the network gives, None where a frame has to be run alone."""
        if len(frames) > 1:
            try:
                return frames[0].estimator.estimate_batch(
                    [frame.image for frame in frames], [frame.intrinsics for frame in frames])
            except Exception as error:  # noqa: BLE001
                # Alone, only the frame that is at fault fails, and says why.
                self._complain('batch', f'a batch of {len(frames)} cameras failed, so they are '
                               f'run one after the other: {error!r}')
        return [None] * len(frames)

    def _publish(self, frame: _Frame, estimate: EstimateLike, inference: float,
                 settings: Settings) -> None:
        """Publish and count; ``inference`` is this frame's share of the time, in seconds."""
        began = time.perf_counter()
        view = estimate.depth, estimate.image, estimate.intrinsics
        if settings.depth_size == 'network':
            view = shrink(*view, frame.estimator.network_intrinsics(frame.intrinsics).fx)
        depth, picture, pinhole = view
        stream = frame.stream
        self._outputs[stream.camera].publish(frame.header, depth, pinhole, picture, settings)
        durations = {'decode': frame.decode, 'inference': inference, **estimate.timings,
                     'publish': time.perf_counter() - began}
        age = self._clock.now() - Time.from_msg(
            frame.header.stamp, clock_type=self._clock.clock_type)
        stream.statistics.process(time.monotonic(), age.nanoseconds / 1e9, durations)
