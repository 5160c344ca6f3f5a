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

"""Pictures of what the depth node publishes: image, depth in colours, the cloud from two sides."""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation.colour import colour_depth, legend

BACKGROUND = (24, 26, 30)
INK = (235, 235, 235)
Floats: TypeAlias = NDArray[np.floating[Any]]


def look_at(eye: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation of a camera at ``eye`` that looks at ``target``, y down, as 3 x 3."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(np.array([0., 1., 0.]), forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def splat(picture: NDArray[np.uint8], columns: Floats, rows: Floats, order: Floats,
          colours: NDArray[np.uint8], sizes: Floats) -> None:
    """
    Draw points as squares, in place; those with a small ``order`` over the others.

    :param sizes: sides of the squares in pixels.
    """
    height, width = picture.shape[:2]
    sequence = np.argsort(-order)
    columns, rows, colours = columns[sequence], rows[sequence], colours[sequence]
    sides = np.clip(np.ceil(sizes[sequence]), 1, 5).astype(int)
    left, top = np.round(columns).astype(int), np.round(rows).astype(int)
    # Far to near in a few slices, so that big near squares cover what lies behind.
    for part in np.array_split(np.arange(len(sequence)), 24):
        for down in range(5):
            for across in range(5):
                chosen = part[sides[part] > max(down, across)]
                x, y = left[chosen] + across, top[chosen] + down
                inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
                picture[y[inside], x[inside]] = colours[chosen][inside]


def cloud_from_the_side(points: NDArray[np.float32], colours: NDArray[np.uint8],
                        size: tuple[int, int]) -> NDArray[np.uint8]:
    """
    Return the cloud as seen from above and beside the camera.

    :param points: N x 3, metres, x right, y down, z forward.
    :param colours: N x 3 uint8 RGB.
    :param size: (width, height) of the picture.
    """
    width, height = size
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    middle = float(np.median(points[:, 2]))
    target = np.array([0., .1 * middle, middle])
    eye = np.array([-.75 * middle, -.65 * middle, -.35 * middle])
    seen = (points - eye) @ look_at(eye, target).T
    ahead = seen[:, 2] > .05 * middle
    seen, colours = seen[ahead], colours[ahead]
    focal = .72 * width
    # A point stands for one pixel of the camera: about its depth over the focal length wide.
    spacing = 2.8 * points[ahead, 2] / width
    splat(picture, focal * seen[:, 0] / seen[:, 2] + width / 2,
          focal * seen[:, 1] / seen[:, 2] + height / 2, seen[:, 2], colours,
          focal * spacing / seen[:, 2])
    return picture


def cloud_from_above(points: NDArray[np.float32], colours: NDArray[np.uint8],
                     size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a map of the cloud, the camera at the bottom, with a line every metre."""
    width, height = size
    picture = np.full((height, width, 3), BACKGROUND, np.uint8)
    reach = max(2., float(np.ceil(np.percentile(points[:, 2], 97))))
    scale = (height - 16) / reach
    for metre in range(int(max(reach, width / scale)) + 1):
        level = (52, 56, 62) if metre % 5 else (84, 90, 98)
        y = round(height - 8 - metre * scale)
        cv2.line(picture, (0, y), (width, y), level, 1)
        for side in (-1, 1):
            x = round(width / 2 + side * metre * scale)
            cv2.line(picture, (x, 0), (x, height), level, 1)
        if metre and y > 12:
            cv2.putText(picture, f'{metre} m', (3, y - 2), cv2.FONT_HERSHEY_SIMPLEX, .35, INK, 1,
                        cv2.LINE_AA)
    # Higher points hide lower ones; the y axis points down.
    splat(picture, width / 2 + points[:, 0] * scale, height - 8 - points[:, 2] * scale,
          points[:, 1], colours, np.full(len(points), 2.))
    cv2.drawMarker(picture, (width // 2, height - 8), (255, 90, 90), cv2.MARKER_TRIANGLE_UP, 12, 2)
    return picture


def titled(picture: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    """Return a picture with a line of text over it."""
    bar = np.full((22, picture.shape[1], 3), BACKGROUND, np.uint8)
    cv2.putText(bar, title, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, .45, INK, 1, cv2.LINE_AA)
    return np.vstack([bar, picture])


def coloured(depth: NDArray[np.float32], near: float, far: float,
             size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return depth in colours, at another size if need be."""
    return np.asarray(cv2.resize(colour_depth(depth, near, far), size,
                                 interpolation=cv2.INTER_NEAREST))


def overview(image: NDArray[np.uint8], depth: NDArray[np.float32], points: NDArray[np.float32],
             colours: NDArray[np.uint8], reference: NDArray[np.float32] | None = None,
             ) -> NDArray[np.uint8]:
    """
    Return one picture of a frame: image, depth, cloud from the side and from above, RGB.

    :param image: H x W x 3 uint8 RGB.
    :param depth: H x W metres, NaN where invalid.
    :param points: ... x 3 metres, NaN where invalid; ``colours`` alike, uint8 RGB.
    :param reference: depth from the bag, beside the estimate where it is known.
    """
    height, width = image.shape[:2]
    known = depth[np.isfinite(depth)] if reference is None else np.concatenate(
        [depth[np.isfinite(depth)], reference[np.isfinite(reference)]])
    near, far = (np.percentile(known, [1, 99]) if known.size else (.5, 5.))
    near, far = max(.1, float(near)), max(.2, float(far))
    if far < near * 1.2:
        far = near * 1.2
    upper = [titled(image, 'image'), titled(coloured(depth, near, far, (width, height)),
                                            'depth/image_rect')]
    if reference is not None:
        upper.append(titled(coloured(reference, near, far, (width, height)), 'true depth'))
    first = np.hstack([*upper, titled(legend(height, near, far), '')])
    half = first.shape[1] // 2
    flat, colours = points.reshape(-1, 3), colours.reshape(-1, 3)
    valid = np.isfinite(flat).all(1)
    if not valid.any():
        return first
    flat, colours = flat[valid], colours[valid]
    return np.vstack([first, np.hstack([
        titled(cloud_from_the_side(flat, colours, (half, height)), 'points, from the side'),
        titled(cloud_from_above(flat, colours, (first.shape[1] - half, height)),
               'points, from above')])])
