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

"""Every parameter of the depth node, once: name, default, range, when it applies, what it does."""

from dataclasses import dataclass

from mde_ros.evaluation.colour import MAPS
from mde_ros.nodes.parameter_table import AT_ONCE, AT_START, parameter, ParameterTable

AT_RELOAD = 'at ~/reload_model'

# As mde_ros.estimation.backends.choose has them, whose import would take seconds.
BACKENDS = ('auto', 'torch', 'compile', 'onnx', 'openvino', 'cuda', 'tensorrt')


@dataclass(frozen=True)
class Settings:
    """The values of all parameters at one moment; the worker reads one object a frame."""

    cameras: tuple[str, ...] = parameter(
        ('',), AT_START, 'namespaces of the cameras that this node serves with one network; '
        "an empty name means the topics 'image' and 'camera_info' themselves")
    weights: str = parameter(
        'shipped', AT_RELOAD, "weight file (.safetensors), or 'shipped' for the packaged one")
    profile: str = parameter(
        '', AT_RELOAD, "camera profile of these weights: a file, or a store folder, of which the "
        "current profile counts; '{camera}' in it stands for the name of the camera; '' is none")
    device: str = parameter(
        'cpu', AT_RELOAD, "torch device of the network, such as 'cpu' or 'cuda:0'")
    backend: str = parameter(
        'auto', AT_RELOAD, 'what runs the network; auto is the fastest that is installed, by a '
        'short measurement, kept for the next start', choices=BACKENDS)
    precision: str = parameter(
        'fp32', AT_RELOAD, 'numbers of the network; int8 comes with its engine',
        choices=('fp32', 'bf16', 'fp16', 'int8'))
    engine: str = parameter(
        '', AT_RELOAD, "file of 'mde export' for these weights, this profile and the size of the "
        "network's input; it has its own precision; '' makes one from the weights")
    threads: int = parameter(
        0, AT_RELOAD, 'CPU threads of the network; 0 means all cores but one', low=0, high=256)
    input_area: int = parameter(
        0, AT_RELOAD, 'pixels of the network input, to which cameras with fewer are enlarged; '
        'less is faster, and away from 0, what the weights were trained for, depth comes out too '
        'small or too large', low=0, high=2_000_000)
    batch_cameras: str = parameter(
        'auto', AT_RELOAD, 'whether the waiting images of several cameras with one profile and '
        "input size go through the network in one batch; auto: unless device is 'cpu', where a "
        'batch only adds age', choices=('auto', 'true', 'false'))
    image_transport: str = parameter(
        'raw', AT_START, "subscribe to 'image' or to 'image/compressed'",
        choices=('raw', 'compressed'))
    image_reliability: str = parameter(
        'auto', AT_ONCE, 'reliability of the image subscription; auto follows the publishers',
        choices=('auto', 'reliable', 'best_effort'))
    image_queue: int = parameter(
        30, AT_START, 'images that DDS may hold while a busy machine lets this process wait; '
        'they are only counted, and the newest is processed, so more adds no delay',
        low=1, high=100)
    image_rectified: str = parameter(
        'auto', AT_ONCE, 'whether images are rectified already (then P of camera_info counts, '
        "else K and D); auto: if the topic's last name contains 'rect'",
        choices=('auto', 'true', 'false'))
    camera_info_file: str = parameter(
        '', AT_START, "calibration (YAML) for cameras without camera_info; '{camera}' in it "
        'stands for the name of the camera')
    enabled: bool = parameter(
        True, AT_ONCE, 'process frames; ~/enable sets it too')
    always_estimate: bool = parameter(
        False, AT_ONCE, 'run the network even when nobody subscribes to its outputs')
    max_rate: float = parameter(
        0.0, AT_ONCE, 'frames per second and camera at most; 0 means no limit',
        low=0.0, high=1000.0)
    min_depth: float = parameter(
        0.1, AT_ONCE, 'depth below this (metres) is out of range', low=0.0, high=1000.0)
    max_depth: float = parameter(
        100.0, AT_ONCE, 'depth above this (metres) is out of range', low=0.01, high=1000.0)
    out_of_range: str = parameter(
        'nan', AT_ONCE, 'what depth out of range becomes: NaN, or -inf (too near) and +inf '
        '(too far) as REP 117 says', choices=('nan', 'inf'))
    depth_size: str = parameter(
        'camera', AT_ONCE, 'size of depth, cloud and colours: that of the camera image, or the '
        "network's (less traffic, with camera_info scaled to it; JPEG is decoded smaller)",
        choices=('camera', 'network'))
    points_stride: int = parameter(
        1, AT_ONCE, 'the cloud takes every n-th row and column', low=1, high=32)
    points_layout: str = parameter(
        'pcl', AT_ONCE, 'bytes a point: pcl is 32 as PCL has it, compact is 16',
        choices=('pcl', 'compact'))
    colour_map: str = parameter(
        'turbo', AT_ONCE, 'colours of depth/color, near to far', choices=MAPS)
    colour_near: float = parameter(
        0.3, AT_ONCE, 'depth (metres) of the nearest colour', low=0.01, high=1000.0)
    colour_far: float = parameter(
        10.0, AT_ONCE, 'depth (metres) of the farthest colour', low=0.02, high=1000.0)
    colour_encoding: str = parameter(
        'rgb8', AT_ONCE, 'encoding of depth/color', choices=('rgb8', 'bgr8'))
    compressed_depth_format: str = parameter(
        'png', AT_ONCE, 'format of compressedDepth: png is smaller, rvl is faster',
        choices=('png', 'rvl'))
    compressed_depth_png_level: int = parameter(
        1, AT_ONCE, 'png level of compressedDepth: more is smaller and slower', low=1, high=9)
    compressed_depth_max: float = parameter(
        100.0, AT_ONCE, 'depth (metres) from which compressedDepth has no reading',
        low=1.0, high=100.0)
    diagnostics_period: float = parameter(
        1.0, AT_ONCE, 'seconds between two messages on /diagnostics', low=0.1, high=60.0)
    silence_limit: float = parameter(
        5.0, AT_ONCE, 'seconds without frames after which diagnostics report an error',
        low=0.5, high=3600.0)
    log_period: float = parameter(
        5.0, AT_ONCE, 'seconds between two log lines of the same complaint',
        low=0.0, high=3600.0)
    autostart: bool = parameter(
        True, AT_START, 'configure and activate by itself; false leaves it to a lifecycle '
        'manager')

    @property
    def batch(self) -> int:
        """Return how many cameras' images go through the network at once, at most."""
        chosen = self.device != 'cpu' if self.batch_cameras == 'auto' else (
            self.batch_cameras == 'true')
        return len(self.cameras) if chosen else 1

    def conflict(self) -> str:
        """Return one sentence on values that do not go together, or nothing."""
        if self.min_depth >= self.max_depth:
            return (f'min_depth {self.min_depth} must be below max_depth {self.max_depth}; '
                    'set both at once')
        if self.colour_near >= self.colour_far:
            return (f'colour_near {self.colour_near} must be below colour_far '
                    f'{self.colour_far}; set both at once')
        if not self.cameras or len(set(self.cameras)) != len(self.cameras):
            return f'cameras {list(self.cameras)}: at least one name and none twice'
        return ''


PARAMETERS: ParameterTable[Settings] = ParameterTable(
    Settings, 'depth node', 'docs/depth_node.md')
TABLE = PARAMETERS.entries
declare, read = PARAMETERS.declare, PARAMETERS.read
