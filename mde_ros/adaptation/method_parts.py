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

"""Parts of a method that a configuration file can set: ``site: {stylise: 0.5}``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from mde_ros.adaptation.errors import TrainingError


@dataclass(frozen=True)
class MethodParts:
    """Fields under the name of a method."""

    method: ClassVar[str] = ''

    def check_weights(self, *names: str) -> None:
        """
        Check that weights are numbers that may be.

        :raises TrainingError: naming the field that is negative.
        """
        for name in names:
            if not getattr(self, name) >= 0:
                raise TrainingError(
                    f'{self.method}.{name} = {getattr(self, name)}: must not be negative')

    def check_choice(self, name: str, allowed: tuple[str, ...]) -> None:
        """
        Check a field that is one of several words.

        :raises TrainingError: with the words there are.
        """
        if getattr(self, name) not in allowed:
            raise TrainingError(f"{self.method}.{name} '{getattr(self, name)}': use one of "
                                f"{', '.join(allowed)}")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """
        Read the fields of a mapping.

        :raises TrainingError: for unknown fields and wrong types.
        """
        known = {f.name: type(f.default) for f in fields(cls)}
        if unknown := sorted(set(values) - set(known)):
            names = ', '.join(f'{cls.method}.{name}' for name in unknown)
            raise TrainingError(f"unknown fields {names}; there are: {', '.join(known)}")
        kept: dict[str, Any] = {}
        for name, value in values.items():
            kind: Any = known[name]
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
                raise TrainingError(
                    f'{cls.method}.{name}: {value!r} where a {kind.__name__} is needed')
            kept[name] = value
        return cls(**kept)
