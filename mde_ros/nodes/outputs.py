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

"""The outputs of one camera: depth, camera_info, cloud, colours, compressedDepth."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Header

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.compressed_depth import encode_compressed_depth
from mde_ros.evaluation.colour import DepthColouriser
from mde_ros.nodes import qos
from mde_ros.nodes.messages import camera_info, fill_compressed, fill_image, fill_points
from mde_ros.nodes.parameters import Settings
from mde_ros.nodes.topics import relative, resolve


def limit_depth(depth: NDArray[np.float32], settings: Settings) -> NDArray[np.float32]:
    """
    Return depth with what is out of range replaced, as the parameters say (REP 117).

    Depth that is all in range, as nearly every frame's is, comes back as it is, in one pass.
    """
    # They pass over NaN.
    if (np.fmin.reduce(depth, axis=None) >= settings.min_depth
            and np.fmax.reduce(depth, axis=None) <= settings.max_depth):
        return depth
    if settings.out_of_range == 'nan':
        near, far = np.float32(np.nan), np.float32(np.nan)
    else:
        near, far = np.float32(-np.inf), np.float32(np.inf)
    with np.errstate(invalid='ignore'):
        limited = np.where(depth < settings.min_depth, near, depth)
        return np.where(depth > settings.max_depth, far, limited)


def shrink(depth: NDArray[np.float32], image: NDArray[np.uint8], intrinsics: Intrinsics,
           focal: float) -> tuple[NDArray[np.float32], NDArray[np.uint8], Intrinsics]:
    """
    Return depth, image and intrinsics of the same view at another focal length.

    :param focal: fx wanted, that of the network's input; depth is taken from the nearest pixel,
        so that no depth appears between an object and what is behind it.
    """
    scale = min(1.0, focal / intrinsics.fx)
    size = (max(1, round(intrinsics.width * scale)), max(1, round(intrinsics.height * scale)))
    return (np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST_EXACT)),
            np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8),
            intrinsics.resized(*size))


class CameraOutputs:
    """
    Publish what is subscribed to; what is not costs nothing.

    The messages are kept and filled in place. All of them carry the header of the input image.
    """

    def __init__(self, node: LifecycleNode, camera: str) -> None:
        """Create the publishers; they are silent until the node is activated."""
        self._node = node
        depth = resolve(node, camera, 'depth/image_rect')
        self._depth = self._publisher(Image, depth)
        # Beside the depth image as image_transport names it, wherever that was remapped to.
        self._compressed = self._publisher(CompressedImage, f'{depth}/compressedDepth')
        self._info = self._publisher(CameraInfo, relative(camera, 'depth/camera_info'))
        self._points = self._publisher(PointCloud2, relative(camera, 'points'))
        self._colour = self._publisher(Image, relative(camera, 'depth/color'))
        self._publishers = (
            self._depth, self._compressed, self._info, self._points, self._colour)
        self._depth_message, self._colour_message = Image(), Image()
        self._compressed_message, self._points_message = CompressedImage(), PointCloud2()
        self._colouriser: tuple[tuple[Any, ...], DepthColouriser] | None = None

    def wanted(self) -> bool:
        """Return whether anybody subscribes to any output."""
        return any(publisher.get_subscription_count() for publisher in self._publishers)

    def publish(self, header: Header, depth: NDArray[np.float32], intrinsics: Intrinsics,
                image: NDArray[np.uint8], settings: Settings) -> None:
        """
        Publish one frame.

        :param header: of the input image, copied to every output.
        :param depth: H x W metres, of the pinhole ``intrinsics``, as ``image``.
        """
        depth = limit_depth(depth, settings)
        if self._info.get_subscription_count():
            self._info.publish(camera_info(intrinsics, header))
        if self._depth.get_subscription_count():
            self._depth.publish(fill_image(self._depth_message, depth, '32FC1', header))
        if self._points.get_subscription_count():
            self._points.publish(fill_points(
                self._points_message, depth, intrinsics, image, header,
                stride=settings.points_stride, layout=settings.points_layout))
        if self._colour.get_subscription_count():
            colours = self._coloured(depth, settings)
            self._colour.publish(fill_image(
                self._colour_message, colours, settings.colour_encoding, header))
        if self._compressed.get_subscription_count():
            self._compressed.publish(fill_compressed(
                self._compressed_message, *encode_compressed_depth(
                    depth, codec=settings.compressed_depth_format,
                    depth_max=settings.compressed_depth_max,
                    png_level=settings.compressed_depth_png_level), header))

    def destroy(self) -> None:
        """Take the topics away."""
        for publisher in self._publishers:
            self._node.destroy_lifecycle_publisher(publisher)

    def _publisher(self, kind: type, topic: str) -> Any:
        """Return a reliable publisher: RViz and Nav2 subscribe reliably, others may not."""
        return self._node.create_lifecycle_publisher(
            kind, topic, qos.profile(qos.RELIABLE),
            qos_overriding_options=QoSOverridingOptions.with_default_policies())

    def _coloured(self, depth: NDArray[np.float32], settings: Settings) -> NDArray[np.uint8]:
        """Return the picture for people."""
        key = settings.colour_near, settings.colour_far, settings.colour_map
        if self._colouriser is None or self._colouriser[0] != key:
            self._colouriser = key, DepthColouriser(*key)
        colours = self._colouriser[1].apply(depth)
        return colours if settings.colour_encoding == 'rgb8' else colours[..., ::-1]
