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

"""The card of a camera profile, and the scale of a place in it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mde_ros.errors import MdeError

FORMAT = 'mde_ros profile 1'
# 'kept': no new measurement, but what was measured before the network was adapted again.
SOURCES = ('none', 'tape', 'ranges', 'camera_height', 'odometry', 'kept')
# Factors beyond these are no scale of a place but a mistake of units, such as millimetres.
FACTORS = (.02, 50.)
EXPONENTS = (.25, 4.)


class ProfileError(MdeError):
    """A profile that cannot be used; the message names the file and what to change."""


@dataclass(frozen=True)
class SiteScale:
    """
    What makes the depth of a place metric: depth becomes factor * depth ** exponent.

    :param factor: of depth.
    :param log_std: standard deviation of its natural logarithm; None when unknown.
    :param source: what it was measured with, one of :data:`SOURCES`.
    :param count: measurements that agreed with it.
    :param exponent: 1 but where scale and shift in log depth were asked for.
    :raises ProfileError: naming the field.
    """

    factor: float = 1.0
    log_std: float | None = None
    source: str = 'none'
    count: int = 0
    exponent: float = 1.0

    def __post_init__(self) -> None:
        """Check every field."""
        if not _is_number(self.factor) or not FACTORS[0] <= self.factor <= FACTORS[1]:
            raise ProfileError(f'scale factor = {self.factor}: must lie between {FACTORS[0]:g} '
                               f'and {FACTORS[1]:g}; check the unit of the measurement, metres')
        if self.log_std is not None and not (_is_number(self.log_std) and self.log_std >= 0):
            raise ProfileError(f'scale log_std = {self.log_std}: must be at least 0')
        if self.source not in SOURCES:
            raise ProfileError(f"scale source '{self.source}': use one of {', '.join(SOURCES)}")
        if not _is_number(self.exponent) or not EXPONENTS[0] <= self.exponent <= EXPONENTS[1]:
            raise ProfileError(f'scale exponent = {self.exponent}: must lie between '
                               f'{EXPONENTS[0]:g} and {EXPONENTS[1]:g}')
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 0:
            raise ProfileError(f'scale count = {self.count}: must be a number of at least 0')

    def apply(self, depth: NDArray[np.float32], before: float = 1.) -> NDArray[np.float32]:
        """
        Return the depth of the place, float32.

        :param before: what ``depth`` is multiplied by first.
        """
        if self.exponent == 1:  # one factor, rounded once
            return depth * np.float32(self.factor * before)
        return (depth * np.float32(before)) ** np.float32(self.exponent) * np.float32(self.factor)


@dataclass(frozen=True)
class ProfileCard:
    """
    What a profile is: the JSON beside its safetensors.

    :param name: short name of the profile, part of the model's id.
    :param camera: name of the camera that it was made for.
    :param base_name: name of the weights that it changes.
    :param base_sha256: of their safetensors file.
    :param scale: factor of the place, from a scale anchor.
    :param intrinsics: of the camera, as Intrinsics.to_dict has it; None when not known.
    :param method: adaptation method.
    :param created: ISO 8601 time.
    :param report: what adaptation and check measured.
    :param notices: licence notices that have to travel with it.
    :param sha256: of the profile's safetensors file.
    """

    name: str
    camera: str
    base_name: str
    base_sha256: str
    scale: SiteScale = field(default_factory=SiteScale)
    intrinsics: dict[str, Any] | None = None
    method: str = ''
    created: str = ''
    report: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    sha256: str = ''

    def __post_init__(self) -> None:
        """
        Check types, and the name, which becomes part of file names and log lines.

        :raises ProfileError: naming the field.
        """
        for key, kind in (('name', str), ('camera', str), ('base_name', str),
                          ('base_sha256', str), ('scale', SiteScale), ('method', str),
                          ('created', str), ('report', dict), ('notices', list),
                          ('sha256', str)):
            if not isinstance(getattr(self, key), kind):
                raise ProfileError(f"the card field '{key}' must be a {kind.__name__}")
        if self.intrinsics is not None and not isinstance(self.intrinsics, dict):
            raise ProfileError("the card field 'intrinsics' must be a dict or null")
        if not self.name.strip() or not self.name.isprintable() or '/' in self.name:
            raise ProfileError(f'profile name {self.name!r}: give a printable name without /')

    @property
    def profile_id(self) -> str:
        """Return name and hash, short enough for a diagnostics line."""
        return f'{self.name}-{self.sha256[:8]}'

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON holds it."""
        return {'format': FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'ProfileCard':
        """
        Read :meth:`to_dict`'s form.

        :raises ProfileError: for another format, missing or wrong fields.
        """
        if values.get('format') != FORMAT:
            raise ProfileError(f"format '{values.get('format')}' where '{FORMAT}' was expected")
        kept = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        try:
            return cls(**{**kept, 'scale': SiteScale(**kept.get('scale', {}))})
        except TypeError as error:
            raise ProfileError(f'a card field is missing or wrong: {error}') from error


def _is_number(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)
            and math.isfinite(value))
