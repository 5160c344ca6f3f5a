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

"""One image message to its outputs: decode, pair, estimate, publish, count."""

import time

from rclpy.clock import Clock
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image

from mde_ros.datasets.image_codec import CodecError, image_to_rgb
from mde_ros.errors import MdeError
from mde_ros.nodes.calibration import FrameError
from mde_ros.nodes.camera_stream import CameraStream
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.model import Model, thread_count, use_threads
from mde_ros.nodes.outputs import CameraOutputs, shrink
from mde_ros.nodes.parameters import Settings


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

    def process(self, camera: str, message: Image | CompressedImage, settings: Settings) -> None:
        """Process one frame; whatever a user can get wrong is counted and logged."""
        stream = self._streams[camera]
        try:
            durations = self._estimate_and_publish(stream, message, settings)
        except CodecError as error:
            self._skip(stream, 'bad image', f'{stream.topics.image}: {error}')
        except FrameError as error:
            self._skip(stream, error.reason, str(error))
        except MdeError as error:
            self._skip(stream, 'estimation failed', f'{stream.topics.image}: {error}')
        else:
            age = self._clock.now() - Time.from_msg(
                message.header.stamp, clock_type=self._clock.clock_type)
            stream.statistics.process(time.monotonic(), age.nanoseconds / 1e9, durations)

    def failed(self, camera: str, error: Exception) -> None:
        """Count a frame that a defect ended."""
        self._skip(self._streams[camera], 'internal error', (
            f'{self._streams[camera].topics.image}: internal error, please report it: {error!r}'))

    def _skip(self, stream: CameraStream, reason: str, line: str) -> None:
        stream.statistics.drop(reason)
        self._complain(f'{stream.camera} {reason}', line)

    def _estimate_and_publish(self, stream: CameraStream, message: Image | CompressedImage,
                              settings: Settings) -> dict[str, float]:
        """Return seconds by stage."""
        model = self.model
        if model is not self._threads_of:
            use_threads(thread_count(model.settings))
            self._threads_of = model
        began = time.perf_counter()
        image = image_to_rgb(message)
        decoded = time.perf_counter()
        intrinsics = stream.calibration.of_image(
            message.header, image.shape[1], image.shape[0])
        estimator = model.of(stream.camera)
        estimate = estimator.estimate(image, intrinsics)
        view = estimate.depth, estimate.image, estimate.intrinsics
        estimated = time.perf_counter()
        if settings.depth_size == 'network':
            view = shrink(*view, estimator.network_intrinsics(intrinsics).fx)
        depth, picture, pinhole = view
        self._outputs[stream.camera].publish(message.header, depth, pinhole, picture, settings)
        return {'decode': decoded - began, 'inference': estimated - decoded,
                **estimate.timings, 'publish': time.perf_counter() - estimated}
