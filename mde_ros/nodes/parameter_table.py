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

"""Parameters of a node as the fields of a dataclass: declared, checked, read, documented."""

from collections.abc import Iterable
from dataclasses import Field, field, fields
from typing import Any, Generic, Protocol, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult)
from rclpy.node import Node
from rclpy.parameter import Parameter

from mde_ros.errors import MdeError

# When a new value takes effect; a node may have further moments of its own.
AT_ONCE, AT_START = 'at once', 'at start'


class ParameterError(MdeError):
    """Parameters that do not go together; the message names them."""


class Checked(Protocol):
    """A frozen dataclass whose fields are :func:`parameter`."""

    def conflict(self) -> str:
        """Return one sentence on values that do not go together, or nothing."""


Values = TypeVar('Values', bound=Checked)


def parameter(default: Any, when: str, text: str, *, low: float | None = None,
              high: float | None = None, choices: Iterable[str] = ()) -> Any:
    """Return a field of a dataclass that is a ROS parameter."""
    return field(default=default, metadata={
        'when': when, 'text': text, 'low': low, 'high': high, 'choices': tuple(choices)})


class ParameterTable(Generic[Values]):
    """
    The parameters of one node.

    :param kind: the dataclass.
    :param node: the node's name in words, and ``page`` its document, for the YAML file.
    """

    def __init__(self, kind: type[Values], node: str, page: str) -> None:
        """Read the fields."""
        self._kind, self._node, self._page = kind, node, page
        self.entries: dict[str, Field[Any]] = {
            entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]

    def __contains__(self, name: str) -> bool:
        """Return whether the node has such a parameter."""
        return name in self.entries

    def when(self, name: str) -> str:
        """Return when a new value of a parameter takes effect."""
        return str(self.entries[name].metadata['when'])

    def declare(self, node: Node) -> Values:
        """
        Declare all parameters and return their values.

        :raises rclpy.exceptions.ParameterException: for a value of the wrong type or range.
        :raises ParameterError: for values that do not go together.
        """
        node.add_on_set_parameters_callback(lambda changes: self.validate(node, changes))
        for entry in self.entries.values():
            node.declare_parameter(entry.name, plain(entry.default), descriptor(entry))
        values = self.read(node)
        if values.conflict():
            raise ParameterError(values.conflict())
        return values

    def read(self, node: Node) -> Values:
        """Return the values of all parameters now."""
        return self._values({name: node.get_parameter(name).value for name in self.entries})

    def validate(self, node: Node, changes: list[Parameter]) -> SetParametersResult:
        """Accept or refuse new values, with one sentence on what is wrong."""
        values = {name: node.get_parameter(name).value if node.has_parameter(name)
                  else entry.default for name, entry in self.entries.items()}
        declared = all(node.has_parameter(name) for name in self.entries)
        for change in changes:
            if change.name not in self.entries:
                continue
            choices = self.entries[change.name].metadata['choices']
            if choices and change.value not in choices:
                return SetParametersResult(successful=False, reason=(
                    f"{change.name} '{change.value}': use one of {', '.join(choices)}"))
            values[change.name] = change.value
        # While they are declared one by one, only the last state must be free of conflicts.
        reason = self._values(values).conflict() if declared else ''
        return SetParametersResult(successful=not reason, reason=reason)

    def markdown(self) -> str:
        """Return the table for the node's document; a test keeps the page equal to it."""
        lines = ['| parameter | default | range | applies | what it does |',
                 '|---|---|---|---|---|']
        for name, entry in self.entries.items():
            default = plain(entry.default)
            shown = str(default).lower() if isinstance(default, bool) else repr(default)
            lines.append(f"| `{name}` | `{shown}` | {bounds(entry)} | {entry.metadata['when']} | "
                         f"{entry.metadata['text']} |")
        return '\n'.join(lines)

    def yaml(self) -> str:
        """Return the parameter file with every default; a test keeps it equal."""
        lines = [f'# Parameters of the {self._node}, all at their defaults; {self._page} explains',
                 '# them. Numbers with a fraction need a point: 50.0, not 50.',
                 '/**:', '  ros__parameters:']
        for name, entry in self.entries.items():
            comment = '; '.join(part for part in (
                bounds(entry), f"applies {entry.metadata['when']}") if part)
            lines.append(f'    {name}: {_yaml(entry.default)}  # {comment}')
        return '\n'.join(lines) + '\n'

    def _values(self, values: dict[str, Any]) -> Values:
        """Return the dataclass of plain parameter values."""
        return self._kind(**{
            name: tuple(value) if isinstance(value, (list, tuple)) else value
            for name, value in values.items()})


def plain(value: Any) -> Any:
    """Return a default as ROS parameters have it: tuples are lists."""
    return list(value) if isinstance(value, tuple) else value


def bounds(entry: Field[Any]) -> str:
    """Return the range or the choices of a parameter in words, nothing where there are none."""
    about = entry.metadata
    return ', '.join(about['choices']) or (
        '' if about['low'] is None else f"{about['low']} to {about['high']}")


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


def _yaml(value: Any) -> str:
    """Return a default as YAML writes it."""
    if isinstance(value, tuple):
        return '[' + ', '.join(_yaml(part) for part in value) + ']'
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}'" if isinstance(value, str) else str(value)
