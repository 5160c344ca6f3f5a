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

"""The frame's way from message to message, stage by stage, without DDS."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.benchmarks.speed.timing import in_milliseconds, take_turns
from mde_ros.camera.cloud import write_points
from mde_ros.camera.geometry import rays
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.camera.resize import whole_reduction
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.estimator import DepthEstimator

PCL_FLOATS, PCL_COLOUR = 8, 4
NETWORK = 'network'


@dataclass(frozen=True)
class Way:
    """
    The stages of one camera.

    :param stages: by name, in order; each works on what the one before left.
    :param plain: the same without the tricks, to show what these are worth.
    :param small: decodes as the node does where nothing of full size is published.
    :param cloud: where both write the points.
    """

    stages: dict[str, Callable[[], object]]
    plain: dict[str, Callable[[], object]]
    small: Callable[[], NDArray[np.uint8]]
    cloud: NDArray[np.float32]


def way(estimator: DepthEstimator, camera: Intrinsics, encoding: str = 'rgb8') -> Way:
    """
    Return the stages of a camera.

    :param encoding: of the image message: rgb8, bgr8, or jpeg for a CompressedImage.
    """
    message = image_message(noise((1, camera.height, camera.width, 3))[0], encoding)
    image = image_to_rgb(message)
    seen = estimator.network_intrinsics(camera)
    engine = estimator.engines.of(seen.width, seen.height)
    estimator.warm_up(camera)
    canonical = engine.run()[0].copy()
    depth = estimator.metric(canonical, camera)
    target = np.zeros_like(depth)
    cloud = np.zeros((camera.height, camera.width, PCL_FLOATS), np.float32)
    stages: dict[str, Callable[[], object]] = {
        'decode': lambda: image_to_rgb(message),
        'resize': lambda: estimator.network_input(image, camera),
        NETWORK: engine.run,
        'upsample': lambda: estimator.metric(canonical, camera),
        'depth message': lambda: np.copyto(target, depth),
        'cloud': lambda: write_points(cloud, depth, camera, image, colour_channel=PCL_COLOUR)}
    plain: dict[str, Callable[[], object]] = {
        'cloud': lambda: _plain_cloud(cloud, depth, camera, image)}
    return Way(stages, plain, lambda: image_to_rgb(message, whole_reduction(camera, seen)), cloud)


def image_message(image: NDArray[np.uint8], encoding: str) -> Any:
    """Return what an image message looks like to the decoder."""
    if encoding == 'jpeg':
        data = cv2.imencode('.jpg', image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        return SimpleNamespace(format='rgb8; jpeg compressed bgr8', data=data.tobytes())
    pixels = image if encoding == 'rgb8' else np.ascontiguousarray(image[..., ::-1])
    return SimpleNamespace(
        height=image.shape[0], width=image.shape[1], encoding=encoding, is_bigendian=0,
        step=3 * image.shape[1], data=pixels.tobytes())


def measure_way(estimator: DepthEstimator, camera: Intrinsics, rounds: int,
                encoding: str = 'rgb8') -> dict[str, Any]:
    """Return milliseconds by stage, the share of all but the network, what tricks are worth."""
    found = way(estimator, camera, encoding)
    plain = {f'{name} plain': run for name, run in found.plain.items()}
    seconds = take_turns({**found.stages, **plain, 'small': found.small}, rounds)
    stages = {name: in_milliseconds(seconds[name]) for name in found.stages}
    total = sum(stage['p50'] for stage in stages.values())
    return {
        'camera': f'{camera.width}x{camera.height}', 'encoding': encoding,
        'network_input': _size(estimator.network_intrinsics(camera)),
        'stages_ms': stages, 'total_ms_p50': round(total, 3),
        'small_decode_ms': in_milliseconds(seconds['small']),
        'share_without_network': round(1 - stages[NETWORK]['p50'] / total, 4),
        'times_as_fast_as_plain': {
            name: round(float(np.median(seconds[f'{name} plain']) / np.median(seconds[name])), 2)
            for name in found.plain}}


def pinhole(width: int, height: int) -> Intrinsics:
    """Return a camera with 64 degrees of view."""
    return Intrinsics(width, height, .8 * width, .8 * width, width / 2 - .5, height / 2 - .5)


def _size(camera: Intrinsics) -> str:
    return f'{camera.width}x{camera.height}'


def _plain_cloud(cloud: NDArray[np.float32], depth: NDArray[np.float32], camera: Intrinsics,
                 image: NDArray[np.uint8]) -> None:
    """Write the cloud channel by channel, as NumPy alone would."""
    z = np.where(np.isfinite(depth), depth, np.float32(np.nan))
    directions = rays(camera)
    np.multiply(directions[..., 0], z, out=cloud[..., 0])
    np.multiply(directions[..., 1], z, out=cloud[..., 1])
    cloud[..., 2] = z
    colour = cloud.view(np.uint8)[..., 4 * PCL_COLOUR:4 * PCL_COLOUR + 3]
    np.copyto(colour, image[..., ::-1])
