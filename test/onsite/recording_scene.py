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

"""A textured wall that a camera of 96 x 72 pixels looks at: pictures for recordings."""

import cv2
import numpy as np

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import Frame

CAMERA = Intrinsics(96, 72, 80., 80., 47.5, 35.5)


def wall(seed=0, width=2000):
    """Return a grey wall with coarse and fine texture, 72 rows high."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.uniform(40, 215, (6, width // 12)).astype(np.float32), (width, 72),
                        interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.normal(0, 60, (72, width)).astype(np.float32), (0, 0), 1.)
    return np.clip(coarse + fine, 1, 254).astype(np.uint8)


WALL = wall()


def view(at, seed=None):
    """Return what the camera sees when it looks at column ``at``; RGB."""
    grey = (WALL if seed is None else wall(seed, 300))[:, at:at + 96]
    return np.repeat(grey[..., None], 3, 2)


def frame(at, stamp_ns=0, intrinsics=CAMERA, depth=None, seed=None):
    """Return a frame at a column."""
    return Frame('any', stamp_ns, view(at, seed), intrinsics, depth)


def noisy(image, sigma, seed=0):
    """Return an image with sensor noise."""
    rng = np.random.default_rng(seed)
    return np.clip(image + rng.normal(0, sigma, image.shape), 0, 255).astype(np.uint8)
