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

"""Names of a camera's topics, with remapping as image_transport does it."""

from dataclasses import dataclass

from rclpy.node import Node


@dataclass(frozen=True)
class CameraTopics:
    """
    Resolved names.

    :param image_base: the image topic without the suffix of its transport.
    :param image: what is subscribed to.
    :param info: the camera_info topic.
    """

    image_base: str
    image: str
    info: str


def camera_topics(node: Node, camera: str, transport: str) -> CameraTopics:
    """
    Return the names of a camera's inputs.

    Remapping ``image`` moves ``image/compressed`` too, as with image_transport; and
    ``camera_info`` follows to the same namespace unless it is remapped itself.
    """
    image = resolve(node, camera, 'image')
    info = resolve(node, camera, 'camera_info')
    if image != expand(node, camera, 'image') and info == expand(node, camera, 'camera_info'):
        info = image.rsplit('/', 1)[0] + '/camera_info'
    return CameraTopics(image, image if transport == 'raw' else f'{image}/{transport}', info)


def looks_rectified(image_base: str) -> bool:
    """Return whether an image topic is named as rectified ones are: image_rect and the like."""
    return 'rect' in image_base.rsplit('/', 1)[-1]


def relative(camera: str, name: str) -> str:
    """Return a topic of a camera, relative to the node's namespace."""
    return f"{camera.strip('/')}/{name}" if camera else name


def resolve(node: Node, camera: str, name: str) -> str:
    """Return the absolute name after remapping."""
    return str(node.resolve_topic_name(relative(camera, name)))


def expand(node: Node, camera: str, name: str) -> str:
    """Return the absolute name before remapping."""
    return str(node.resolve_topic_name(relative(camera, name), only_expand=True))
