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

"""Pinhole intrinsics, from CameraInfo, YAML or a data set's meta.json."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import yaml

from mde_ros.errors import MdeError

# Distortion models of sensor_msgs/CameraInfo and the numbers of coefficients they allow.
DISTORTION_MODELS = {
    'none': (0,),
    'plumb_bob': (4, 5),
    'rational_polynomial': (8, 12, 14),
    'equidistant': (4,),
}
# Names that drivers and calibration tools use for the same models.
DISTORTION_ALIASES = {'': 'plumb_bob', 'radtan': 'plumb_bob', 'brown_conrady': 'plumb_bob',
                      'fisheye': 'equidistant', 'kannala_brandt4': 'equidistant'}


class IntrinsicsError(MdeError):
    """Intrinsics that describe no camera; the message names the field to mend."""


@dataclass(frozen=True)
class Intrinsics:
    """
    A pinhole camera of one image size, in pixels, with its lens distortion.

    Pixel (0, 0) is the centre of the upper left pixel, as in ROS and OpenCV.

    :param distortion_model: 'none', 'plumb_bob', 'rational_polynomial' or 'equidistant'.
    :param distortion: coefficients in the order of sensor_msgs/CameraInfo.d.
    :raises IntrinsicsError: for sizes or focal lengths that are not positive and finite, or
        coefficients that do not fit the model.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: str = 'none'
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check every field once, so that no other code has to."""
        # Hashable, as caches need it, whatever sequence was given.
        object.__setattr__(self, 'distortion', tuple(self.distortion))
        if self.width < 1 or self.height < 1:
            raise IntrinsicsError(
                f'image size {self.width}x{self.height}: width and height must be at least 1')
        for name in ('fx', 'fy'):
            value = getattr(self, name)
            if not math.isfinite(value) or value <= 0:
                raise IntrinsicsError(
                    f'{name} = {value}: the focal length must be positive; calibrate the camera')
        for name in ('cx', 'cy'):
            value = getattr(self, name)
            if not math.isfinite(value):
                raise IntrinsicsError(f'{name} = {value}: the principal point must be finite')
        counts = DISTORTION_MODELS.get(self.distortion_model)
        if counts is None:
            raise IntrinsicsError(
                f"distortion model '{self.distortion_model}': use one of "
                + ', '.join(DISTORTION_MODELS))
        if len(self.distortion) not in counts:
            raise IntrinsicsError(
                f"distortion model '{self.distortion_model}' needs "
                f"{' or '.join(map(str, counts))} coefficients, got {len(self.distortion)}")
        if not all(math.isfinite(value) for value in self.distortion):
            raise IntrinsicsError(f'distortion {self.distortion}: coefficients must be finite')

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Return K, 3 x 3."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], np.float64)

    @property
    def horizontal_fov(self) -> float:
        """Return the horizontal field of view in degrees."""
        return math.degrees(math.atan2(self.cx + .5, self.fx)
                            + math.atan2(self.width - .5 - self.cx, self.fx))

    @property
    def rectified(self) -> bool:
        """Return whether the lens leaves straight lines straight."""
        return not any(self.distortion)

    def without_distortion(self) -> 'Intrinsics':
        """Return the same pinhole with a perfect lens."""
        return replace(self, distortion_model='none', distortion=())

    def resized(self, width: int, height: int) -> 'Intrinsics':
        """
        Return the intrinsics of this image resized to ``width`` x ``height``.

        Pixel centres are kept right: cx' = (cx + 0.5) s - 0.5, as cv2.resize samples.
        """
        sx, sy = width / self.width, height / self.height
        return replace(
            self, width=width, height=height, fx=self.fx * sx, fy=self.fy * sy,
            cx=(self.cx + .5) * sx - .5, cy=(self.cy + .5) * sy - .5)

    def cropped(self, left: int, top: int, width: int, height: int) -> 'Intrinsics':
        """Return the intrinsics of a window; negative offsets mean padding."""
        return replace(
            self, width=width, height=height, cx=self.cx - left, cy=self.cy - top)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` reads: the form of meta.json."""
        fields: dict[str, Any] = {
            'width': self.width, 'height': self.height,
            'intrinsics': {'fx': self.fx, 'fy': self.fy, 'cx': self.cx, 'cy': self.cy}}
        if self.distortion_model != 'none':
            fields['distortion'] = {
                'model': self.distortion_model, 'coefficients': list(self.distortion)}
        return fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> 'Intrinsics':
        """
        Read the form of meta.json: width, height, intrinsics, optionally distortion.

        :raises IntrinsicsError: naming the missing or wrong field.
        """
        k = fields.get('intrinsics')
        lens = fields.get('distortion') or {'model': 'none', 'coefficients': ()}
        if not isinstance(k, Mapping) or not isinstance(lens, Mapping):
            raise IntrinsicsError(
                "'intrinsics' must be {fx, fy, cx, cy} and 'distortion' {model, coefficients}")
        try:
            return cls(
                int(fields['width']), int(fields['height']),
                float(k['fx']), float(k['fy']), float(k['cx']), float(k['cy']),
                *_lens(lens['model'], lens['coefficients']))
        except KeyError as error:
            raise IntrinsicsError(f'the field {error} is missing') from error
        except (TypeError, ValueError, OverflowError) as error:
            raise IntrinsicsError(f'a field is no number: {error}') from error

    @classmethod
    def from_camera_info(cls, message: Any, rectified: bool) -> 'Intrinsics':
        """
        Read a sensor_msgs/CameraInfo of rclpy or rosbags.

        The result is of the image as published: after the message's region of interest and
        binning.

        :param rectified: whether the images are rectified already: then P and no distortion
            hold, else K and D.
        :raises IntrinsicsError: when the camera is not calibrated (K[0] == 0 or NaN), its model
            is unknown or its region of interest lies outside the image.
        """
        # rosbags spells the fields of Jazzy in lower case too, ROS 1 bags in upper case.
        k = [float(v) for v in (message.k if hasattr(message, 'k') else message.K)]
        p = [float(v) for v in (message.p if hasattr(message, 'p') else message.P)]
        d = message.d if hasattr(message, 'd') else message.D
        size = int(message.width), int(message.height)
        if rectified and p[0] != 0:
            camera = cls(*size, p[0], p[5], p[2], p[6])
        elif k[0] == 0:
            raise IntrinsicsError('camera_info has K[0] = 0: calibrate the camera')
        else:
            lens = ('none', ()) if rectified else _lens(message.distortion_model, d)
            camera = cls(*size, k[0], k[4], k[2], k[5], *lens)
        return _as_published(camera, message)

    @classmethod
    def from_yaml(cls, path: str | Path) -> 'Intrinsics':
        """
        Read a calibration file of camera_calibration / camera_info_manager, or meta.json's form.

        :raises IntrinsicsError: naming the file.
        """
        try:
            fields = yaml.safe_load(Path(path).read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            detail = ' '.join(str(error).split())  # YAML errors span lines
            raise IntrinsicsError(f'{path}: not a readable YAML file: {detail}') from error
        if not isinstance(fields, dict):
            raise IntrinsicsError(f'{path}: not a mapping of calibration fields')
        try:
            if 'camera_matrix' not in fields:
                return cls.from_dict(fields)
            k = [float(v) for v in fields['camera_matrix']['data']]
            lens = _lens(fields.get('distortion_model', 'plumb_bob'),
                         fields['distortion_coefficients']['data'])
            return cls(int(fields['image_width']), int(fields['image_height']),
                       k[0], k[4], k[2], k[5], *lens)
        except IntrinsicsError as error:
            raise IntrinsicsError(f'{path}: {error}') from error
        except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
            raise IntrinsicsError(f'{path}: a calibration field is missing or wrong: '
                                  f'{error!r}') from error


def _lens(model: Any, coefficients: Any) -> tuple[str, tuple[float, ...]]:
    """Return model and coefficients by our names; no or only zero coefficients are no lens."""
    values = tuple(float(value) for value in coefficients)
    if not any(values):
        return 'none', ()
    name = str(model).lower()
    return DISTORTION_ALIASES.get(name, name), values


def _as_published(camera: Intrinsics, message: Any) -> Intrinsics:
    """Apply the region of interest and the binning, which K and P leave out."""
    roi = getattr(message, 'roi', None)
    if roi is not None and roi.width and roi.height:
        left, top, width, height = (
            int(value) for value in (roi.x_offset, roi.y_offset, roi.width, roi.height))
        if left + width > camera.width or top + height > camera.height:
            raise IntrinsicsError(
                f'camera_info has a roi of {width}x{height} at ({left}, {top}) outside its '
                f'{camera.width}x{camera.height}: mend it in the driver')
        camera = camera.cropped(left, top, width, height)
    across = max(1, int(getattr(message, 'binning_x', 0)))
    down = max(1, int(getattr(message, 'binning_y', 0)))
    if across > 1 or down > 1:
        camera = camera.resized(max(1, camera.width // across), max(1, camera.height // down))
    return camera
