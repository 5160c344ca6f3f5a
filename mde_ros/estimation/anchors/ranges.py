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

"""Distances that something else than the camera measured: tape, lidar, ultrasonic, docking."""

from collections.abc import Iterable, Iterator
import csv
from dataclasses import dataclass, replace
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from mde_ros.camera.geometry import ray_length_factor, rays
from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.estimation.anchors.inputs import AnchorError, EstimateLike, FrameLike

# The nearest surface in a beam answers, not the nearest noisy pixel.
NEAREST_PERCENT = 5.
# Half the side of the patch whose median stands for one pixel, in widths of the image.
PATCH = .006
# A reading belongs to the frame that was taken no longer before or after it, nanoseconds.
SLOP_NS = 50_000_000


@dataclass(frozen=True)
class RangeReading:
    """
    One distance from the camera along a line of sight.

    :param metres: measured distance.
    :param frame: name of the frame that it belongs to; '' for the one at ``stamp_ns``, or where
        that is 0 too, for the first.
    :param u: column of the pixel that it hit in the image as the camera delivers it; None with
        ``v`` for the image centre.
    :param v: row.
    :param cone: full angle in degrees of a beam whose nearest surface answers; 0 for a point.
    :param stamp_ns: when it was measured, 0 when unknown.
    :raises AnchorError: naming the field.
    """

    metres: float
    frame: str = ''
    u: float | None = None
    v: float | None = None
    cone: float = 0.
    stamp_ns: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        if not (math.isfinite(self.metres) and self.metres > 0):
            raise AnchorError(f'metres = {self.metres}: a distance must be positive')
        if (self.u is None) != (self.v is None):
            raise AnchorError('a pixel needs both u and v; leave out both for the image centre')
        if not all(math.isfinite(value) for value in (self.u or 0., self.v or 0.)):
            raise AnchorError(f'pixel ({self.u}, {self.v}): must be finite')
        if not 0 <= self.cone <= 90:
            raise AnchorError(f'cone = {self.cone}: a full angle of 0 to 90 degrees is needed')


def read_ranges(path: str | Path) -> list[RangeReading]:
    """
    Read readings from a file.

    ``.csv`` with a header ``metres`` and any of ``frame,u,v,cone,stamp_ns``; ``.json`` with a list
    of objects of the same fields; ``.jsonl`` as a recording has it in scoring/ranges.jsonl, with
    ``range``, ``field_of_view`` in radians and ``stamp``.

    :raises AnchorError: naming the file and the entry.
    """
    path = Path(path)
    try:
        text = path.read_text()
        if path.suffix == '.csv':
            rows: list[Any] = list(csv.DictReader(text.splitlines()))
        elif path.suffix == '.jsonl':
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        else:
            rows = json.loads(text)
        if not isinstance(rows, list):
            raise ValueError('a list of readings is expected')
    except (OSError, ValueError) as error:
        raise AnchorError(f'{path}: not readable as ranges (.csv, .json or .jsonl): {error}'
                          ) from error
    readings = []
    for number, row in enumerate(rows, 1):
        try:
            readings.append(_reading(row))
        except (AnchorError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise AnchorError(f'{path}: reading {number}: {error!s} ({row}): fields are metres, '
                              'frame, u, v, cone, stamp_ns') from error
    return readings


def _reading(row: dict[str, Any]) -> RangeReading:
    values = {key: value for key, value in row.items() if value not in ('', None)}
    if 'range' in values:
        return RangeReading(float(values['range']), stamp_ns=int(values['stamp']),
                            cone=math.degrees(float(values.get('field_of_view', 0))))
    metres = values.pop('metres')
    kinds = {'frame': str, 'u': float, 'v': float, 'cone': float, 'stamp_ns': int}
    if unknown := set(values) - set(kinds):
        raise ValueError(f'unknown field {sorted(map(str, unknown))[0]}')
    return RangeReading(float(metres), **{key: kinds[key](value)
                                          for key, value in values.items()})


def assign(readings: Iterable[RangeReading], frames: Iterable[FrameLike]
           ) -> Iterator[tuple[FrameLike, list[RangeReading]]]:
    """
    Yield the frames that have readings, with these; nothing else of the frames is kept.

    Readings by stamp belong to frames within 50 ms; a reading that fits several frames counts
    for the first.
    """
    left = list(readings)
    for index, frame in enumerate(frames):
        own = [r for r in left if (r.frame == frame.name if r.frame else (
            abs(r.stamp_ns - frame.stamp_ns) <= SLOP_NS if r.stamp_ns else index == 0))]
        if own:
            left = [reading for reading in left if reading not in own]
            yield frame, [replace(reading, frame=frame.name) for reading in own]
        if not left:
            return


def predicted_distance(estimate: EstimateLike, camera: Intrinsics,
                       reading: RangeReading) -> float:
    """
    Return the distance in metres that an estimate has where a reading was taken.

    :param camera: of the image as delivered, whose pixels the reading names.
    :return: NaN where the estimate has no depth, or the pixel lies outside of the image.
    """
    u = (camera.width - 1) / 2 if reading.u is None else reading.u
    v = (camera.height - 1) / 2 if reading.v is None else reading.v
    if not (0 <= round(u) < camera.width and 0 <= round(v) < camera.height):
        return math.nan
    pinhole, depth = estimate.intrinsics, estimate.depth
    if camera.rectified:
        x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    else:
        x, y = (float(value) for value in rays(camera)[round(v), round(u)])
    if reading.cone:
        field = rays(pinhole)
        cosine = ((field[..., 0] * x + field[..., 1] * y + 1)
                  / (ray_length_factor(pinhole) * math.sqrt(1 + x * x + y * y)))
        inside = (cosine >= math.cos(math.radians(reading.cone / 2))) & np.isfinite(depth)
        if not inside.any():
            return math.nan
        return float(np.percentile((depth * ray_length_factor(pinhole))[inside],
                                   NEAREST_PERCENT))
    column, row = pinhole.fx * x + pinhole.cx, pinhole.fy * y + pinhole.cy
    if not (math.isfinite(column) and math.isfinite(row)):
        return math.nan
    reach = max(1, round(PATCH * pinhole.width))
    left, top = max(round(column) - reach, 0), max(round(row) - reach, 0)
    patch = depth[top:max(round(row) + reach + 1, 0), left:max(round(column) + reach + 1, 0)]
    patch = patch[np.isfinite(patch)]
    if not patch.size:
        return math.nan
    return float(np.median(patch)) * math.sqrt(1 + x * x + y * y)
