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

from collections.abc import Iterable
from dataclasses import dataclass, Field, field, fields
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult)
from rclpy.node import Node
from rclpy.parameter import Parameter

from mde_ros.errors import MdeError
from mde_ros.evaluation.colour import MAPS

# When a new value takes effect.
AT_ONCE, AT_RELOAD, AT_START = 'at once', 'at ~/reload_model', 'at start'


class ParameterError(MdeError):
    """Parameters that do not go together; the message names them."""


def _parameter(default: Any, when: str, text: str, *, low: float | None = None,
               high: float | None = None, choices: Iterable[str] = ()) -> Any:
    """Return a field of :class:`Settings` that is a ROS parameter."""
    return field(default=default, metadata={
        'when': when, 'text': text, 'low': low, 'high': high, 'choices': tuple(choices)})


# As mde_ros.estimation.backends.choose has them, whose import would take seconds.
BACKENDS = ('auto', 'torch', 'compile', 'onnx', 'openvino', 'cuda', 'tensorrt')


@dataclass(frozen=True)
class Settings:
    """The values of all parameters at one moment; the worker reads one object a frame."""

    cameras: tuple[str, ...] = _parameter(
        ('',), AT_START, 'namespaces of the cameras that this node serves with one network; '
        "an empty name means the topics 'image' and 'camera_info' themselves")
    weights: str = _parameter(
        'shipped', AT_RELOAD, "weight file (.safetensors), or 'shipped' for the packaged one")
    profile: str = _parameter(
        '', AT_RELOAD, "camera profile of these weights: a file, or a store folder, of which the "
        "current profile counts; '{camera}' in it stands for the name of the camera; '' is none")
    device: str = _parameter(
        'cpu', AT_RELOAD, "torch device of the network, such as 'cpu' or 'cuda:0'")
    backend: str = _parameter(
        'auto', AT_RELOAD, 'what runs the network; auto is the fastest that is installed, by a '
        'short measurement, kept for the next start', choices=BACKENDS)
    precision: str = _parameter(
        'fp32', AT_RELOAD, 'numbers of the network; int8 comes with its engine',
        choices=('fp32', 'bf16', 'fp16', 'int8'))
    engine: str = _parameter(
        '', AT_RELOAD, "file of 'mde export' for these weights, this profile and the size of the "
        "network's input; it has its own precision; '' makes one from the weights")
    threads: int = _parameter(
        0, AT_RELOAD, 'CPU threads of the network; 0 means all cores but one', low=0, high=256)
    input_area: int = _parameter(
        0, AT_RELOAD, 'pixels of the network input; more is sharper and slower; 0 means what '
        'the weights were trained for', low=0, high=2_000_000)
    image_transport: str = _parameter(
        'raw', AT_START, "subscribe to 'image' or to 'image/compressed'",
        choices=('raw', 'compressed'))
    image_reliability: str = _parameter(
        'auto', AT_ONCE, 'reliability of the image subscription; auto follows the publishers',
        choices=('auto', 'reliable', 'best_effort'))
    image_queue: int = _parameter(
        30, AT_START, 'images that DDS may hold while a busy machine lets this process wait; '
        'they are only counted, and the newest is processed, so more adds no delay',
        low=1, high=100)
    image_rectified: str = _parameter(
        'auto', AT_ONCE, 'whether images are rectified already (then P of camera_info counts, '
        "else K and D); auto: if the topic's last name contains 'rect'",
        choices=('auto', 'true', 'false'))
    camera_info_file: str = _parameter(
        '', AT_START, "calibration (YAML) for cameras without camera_info; '{camera}' in it "
        'stands for the name of the camera')
    enabled: bool = _parameter(
        True, AT_ONCE, 'process frames; ~/enable sets it too')
    always_estimate: bool = _parameter(
        False, AT_ONCE, 'run the network even when nobody subscribes to its outputs')
    max_rate: float = _parameter(
        0.0, AT_ONCE, 'frames per second and camera at most; 0 means no limit',
        low=0.0, high=1000.0)
    min_depth: float = _parameter(
        0.1, AT_ONCE, 'depth below this (metres) is out of range', low=0.0, high=1000.0)
    max_depth: float = _parameter(
        100.0, AT_ONCE, 'depth above this (metres) is out of range', low=0.01, high=1000.0)
    out_of_range: str = _parameter(
        'nan', AT_ONCE, 'what depth out of range becomes: NaN, or -inf (too near) and +inf '
        '(too far) as REP 117 says', choices=('nan', 'inf'))
    depth_size: str = _parameter(
        'camera', AT_ONCE, 'size of depth, cloud and colours: that of the camera image, or the '
        "network's (less traffic, with camera_info scaled to it)",
        choices=('camera', 'network'))
    points_stride: int = _parameter(
        1, AT_ONCE, 'the cloud takes every n-th row and column', low=1, high=32)
    points_layout: str = _parameter(
        'pcl', AT_ONCE, 'bytes a point: pcl is 32 as PCL has it, compact is 16',
        choices=('pcl', 'compact'))
    colour_map: str = _parameter(
        'turbo', AT_ONCE, 'colours of depth/color, near to far', choices=MAPS)
    colour_near: float = _parameter(
        0.3, AT_ONCE, 'depth (metres) of the nearest colour', low=0.01, high=1000.0)
    colour_far: float = _parameter(
        10.0, AT_ONCE, 'depth (metres) of the farthest colour', low=0.02, high=1000.0)
    colour_encoding: str = _parameter(
        'rgb8', AT_ONCE, 'encoding of depth/color', choices=('rgb8', 'bgr8'))
    compressed_depth_format: str = _parameter(
        'png', AT_ONCE, 'format of compressedDepth: png is smaller, rvl is faster',
        choices=('png', 'rvl'))
    compressed_depth_png_level: int = _parameter(
        1, AT_ONCE, 'png level of compressedDepth: more is smaller and slower', low=1, high=9)
    compressed_depth_max: float = _parameter(
        100.0, AT_ONCE, 'depth (metres) from which compressedDepth has no reading',
        low=1.0, high=100.0)
    diagnostics_period: float = _parameter(
        1.0, AT_ONCE, 'seconds between two messages on /diagnostics', low=0.1, high=60.0)
    silence_limit: float = _parameter(
        5.0, AT_ONCE, 'seconds without frames after which diagnostics report an error',
        low=0.5, high=3600.0)
    log_period: float = _parameter(
        5.0, AT_ONCE, 'seconds between two log lines of the same complaint',
        low=0.0, high=3600.0)
    autostart: bool = _parameter(
        True, AT_START, 'configure and activate by itself; false leaves it to a lifecycle '
        'manager')

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


TABLE: dict[str, Field[Any]] = {entry.name: entry for entry in fields(Settings)}


def descriptor(entry: Field[Any]) -> ParameterDescriptor:
    """Return what ``ros2 param describe`` shows of a parameter."""
    about = entry.metadata
    result = ParameterDescriptor(
        name=entry.name, description=f"{about['text']} (applies {about['when']})",
        read_only=about['when'] == AT_START)
    if about['choices']:
        result.additional_constraints = 'one of ' + ', '.join(about['choices'])
    if about['low'] is not None:
        if isinstance(entry.default, float):
            result.floating_point_range = [
                FloatingPointRange(from_value=about['low'], to_value=about['high'])]
        else:
            result.integer_range = [
                IntegerRange(from_value=about['low'], to_value=about['high'], step=1)]
    return result


def declare(node: Node) -> Settings:
    """
    Declare all parameters and return their values.

    :raises rclpy.exceptions.ParameterException: for a value of the wrong type or range.
    :raises ParameterError: for values that do not go together.
    """
    node.add_on_set_parameters_callback(lambda parameters: validate(node, parameters))
    for entry in TABLE.values():
        default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
        node.declare_parameter(entry.name, default, descriptor(entry))
    settings = read(node)
    if settings.conflict():
        raise ParameterError(settings.conflict())
    return settings


def read(node: Node) -> Settings:
    """Return the values of all parameters now."""
    return _settings({name: node.get_parameter(name).value for name in TABLE})


def validate(node: Node, changes: list[Parameter]) -> SetParametersResult:
    """Accept or refuse new values, with one sentence on what is wrong."""
    values = {name: node.get_parameter(name).value if node.has_parameter(name)
              else entry.default for name, entry in TABLE.items()}
    declared = all(node.has_parameter(name) for name in TABLE)
    for change in changes:
        if change.name not in TABLE:
            continue
        choices = TABLE[change.name].metadata['choices']
        if choices and change.value not in choices:
            return SetParametersResult(successful=False, reason=(
                f"{change.name} '{change.value}': use one of {', '.join(choices)}"))
        values[change.name] = change.value
    # While they are declared one by one, only the last state must be free of conflicts.
    reason = _settings(values).conflict() if declared else ''
    return SetParametersResult(successful=not reason, reason=reason)


def _settings(values: dict[str, Any]) -> Settings:
    """Return the settings of plain parameter values."""
    plain: dict[str, Any] = {
        name: tuple(value) if isinstance(value, (list, tuple)) else value
        for name, value in values.items()}
    return Settings(**plain)


def markdown_table() -> str:
    """Return the table of docs/depth_node.md; a test keeps the page equal to it."""
    lines = ['| parameter | default | range | applies | what it does |', '|---|---|---|---|---|']
    for name, entry in TABLE.items():
        about = entry.metadata
        default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
        shown = str(default).lower() if isinstance(default, bool) else repr(default)
        bounds = ', '.join(about['choices']) or (
            '' if about['low'] is None else f"{about['low']} to {about['high']}")
        lines.append(f"| `{name}` | `{shown}` | {bounds} | {about['when']} | {about['text']} |")
    return '\n'.join(lines)


def yaml_file() -> str:
    """Return config/depth_node.yaml: every parameter with its default; a test keeps it equal."""
    lines = ['# Parameters of the depth node, all at their defaults; docs/depth_node.md explains',
             '# them. Numbers with a fraction need a point: 50.0, not 50.',
             '/**:', '  ros__parameters:']
    for name, entry in TABLE.items():
        about = entry.metadata
        bounds = ', '.join(about['choices']) or (
            '' if about['low'] is None else f"{about['low']} to {about['high']}")
        comment = '; '.join(part for part in (bounds, f"applies {about['when']}") if part)
        lines.append(f'    {name}: {_yaml(entry.default)}  # {comment}')
    return '\n'.join(lines) + '\n'


def _yaml(value: Any) -> str:
    """Return a default as YAML writes it."""
    if isinstance(value, tuple):
        return '[' + ', '.join(_yaml(part) for part in value) + ']'
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)
