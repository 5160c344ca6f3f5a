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

"""
Evaluation protocols by name, as the published code of each has them.

The table says what a number means: which pixels, which depths, which scale. Repositories are
GitHub's; docs/protocols.md says what was read in their code and what only remembered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mde_ros.datasets.frame import Frame
from mde_ros.errors import MdeError
from mde_ros.evaluation.crops import crop_mask, crop_window
from mde_ros.evaluation.scoring import ScoringOptions

# Which column of the result is the protocol's.
COLUMN_OF_SCALING = {'none': 'raw', 'median': 'median_scaled',
                     'median_after_clamp': 'median_scaled'}
TRUTHS = {
    'velodyne': 'laser points, z of the camera',
    'velodyne_x': 'laser points, forward x of the laser',
    'improved': 'annotated depth of several scans',
    'depth': "the data set's depth",
}


class ProtocolError(MdeError):
    """A protocol that is not known, or that does not fit the data or the other options."""


@dataclass(frozen=True)
class DepthProtocol:
    """
    How depth is scored.

    :param code: repositories that publish numbers so.
    :param minimum: reference depths at or below are not scored, predictions below are raised to
        it; metres.
    :param maximum: likewise above, the cap; metres.
    :param crop: a name of CROPS: what is scored.
    :param input_crop: a name of CROPS; the network is given only this window of the image.
    :param crop_of: what ``crop`` is a window of: 'input', what the network is given, or
        'image'.
    :param scaling: 'none', 'median' of each image before the clamp, or 'median_after_clamp',
        where scaled values may exceed the cap.
    :param flip: whether predictions are averaged with those of the mirrored image.
    :param truth: a key of TRUTHS.
    :param upsampling: of predictions to the size of the reference, as the code has it. Here it
        is the estimator's, bilinear.
    """

    name: str
    code: str
    minimum: float
    maximum: float
    crop: str = 'none'
    input_crop: str = 'none'
    crop_of: str = 'input'
    scaling: str = 'none'
    flip: bool = False
    truth: str = 'depth'
    upsampling: str = 'bilinear'

    @property
    def column(self) -> str:
        """Return the column of the result that the protocol reports."""
        return COLUMN_OF_SCALING[self.scaling]

    def options(self, inner_edges: tuple[float, ...] | None = None) -> ScoringOptions:
        """Return what the scorer needs."""
        return ScoringOptions(self.minimum, self.maximum, inner_edges,
                              self.crop if self.crop_of == 'input' else 'none',
                              self.scaling == 'median_after_clamp')

    def prepare(self, frame: Frame) -> Frame:
        """
        Return the part of a frame that the network is given.

        :raises CropError: when the window is not defined for this size.
        """
        if self.input_crop == 'none':
            return frame
        height, width = frame.image.shape[:2]
        top, bottom, left, right = crop_window(self.input_crop, height, width)
        part = slice(top, bottom), slice(left, right)
        depth = frame.depth
        if depth is not None:
            if self.crop_of == 'image':
                depth = np.where(crop_mask(self.crop, height, width), depth, np.float32('nan'))
            depth = depth[part].copy()
        return replace(
            frame, image=frame.image[part].copy(), depth=depth,
            intrinsics=frame.intrinsics.cropped(left, top, right - left, bottom - top))

    def check_source(self, source: Any) -> None:
        """
        Check that the reference of a data set is the protocol's, where the data set says.

        :raises ProtocolError: naming what to write instead.
        """
        there = getattr(source, 'meta', {}).get('truth')
        if there is None or self.truth == 'depth' or there == self.truth:
            return
        keys = {'velodyne': 'truth=velodyne&depth=z', 'velodyne_x': 'truth=velodyne&depth=velo_x',
                'improved': 'truth=improved'}
        raise ProtocolError(
            f"protocol '{self.name}' is scored on {TRUTHS[self.truth]}; this data set was opened "
            f"with '{there}': write kitti:PATH?{keys[self.truth]}")

    def to_dict(self) -> dict[str, Any]:
        """Return the table entry as the JSON of a result holds it."""
        return {**vars(self), 'column': self.column}


_KITTI: dict[str, Any] = {'crop': 'garg', 'minimum': 1e-3, 'truth': 'velodyne'}
_TABLE = (
    # The ranges of mde evaluate without options, for rooms and for roads.
    DepthProtocol('plain', 'mde_ros', .3, 10.),
    DepthProtocol('plain-road', 'mde_ros', 1., 80.),
    # KITTI, Eigen split of 697, laser points, Garg's crop.
    # sshan-zhao/GASDA asks for bicubic upsampling, but hands it to cv2.resize as the output.
    DepthProtocol('eigen-80m', 'sshan-zhao/GASDA, 3D-PL, SemiSupMDE, SharinGAN', maximum=80.,
                  **_KITTI),
    DepthProtocol('eigen-50m', '3D-PL, SemiSupMDE, SharinGAN', maximum=50., **_KITTI),
    # nianticlabs/monodepth2: export_gt_depth.py calls generate_depth_map(..., vel_depth=True).
    DepthProtocol('eigen-80m-median', 'nianticlabs/monodepth2, DESC', 1e-3, 80., 'garg',
                  scaling='median', truth='velodyne_x'),
    # The --eigen_crop option of mrharicot/monodepth and of T2Net; nobody's default.
    DepthProtocol('eigencrop-80m', 'option of mrharicot/monodepth', 1e-3, 80., 'eigen',
                  truth='velodyne'),
    # lyndonzheng/Synthetic2Realistic: util/evaluation.py, defaults; CrDoCo and Akada follow it.
    DepthProtocol('t2net-50m', 'lyndonzheng/Synthetic2Realistic, CrDoCo', 1., 50., 'garg',
                  truth='velodyne_x'),
    DepthProtocol('t2net-80m', 'lyndonzheng/Synthetic2Realistic with --max_depth 80', 1., 80.,
                  'garg', truth='velodyne_x'),
    # microsoft/S2R-DepthNet: test.py clamps, then scales, and does not clamp again.
    DepthProtocol('s2r-80m', 'microsoft/S2R-DepthNet', 1e-3, 80., 'garg',
                  scaling='median_after_clamp', truth='velodyne'),
    # shariqfarooq123/AdaBins, zhyever/Monocular-Depth-Estimation-Toolbox: image and reference
    # are cut to the benchmark's window, Garg's fractions are of that; 652 of the 697 images.
    DepthProtocol('kb-garg-80m', 'AdaBins, Monocular-Depth-Estimation-Toolbox', 1e-3, 80.,
                  'garg', 'kb', flip=True, truth='improved'),
    # cogaplex-bts/bts: the network sees the window, but Garg's fractions are of the whole image.
    DepthProtocol('bts-garg-80m', 'cogaplex-bts/bts', 1e-3, 80., 'garg', 'kb', 'image',
                  truth='improved'),
    # NYU Depth v2, 654 images of 640x480.
    DepthProtocol('nyu-eigen-10m', 'cogaplex-bts/bts, AdaBins (which adds flips)', 1e-3, 10.,
                  'nyu_eigen'),
    DepthProtocol('t2net-indoor-8m', 'lyndonzheng/Synthetic2Realistic', 1., 8.,
                  input_crop='t2net_indoor'),
    DepthProtocol('s2r-indoor-8m', 'microsoft/S2R-DepthNet', 1e-3, 8.,
                  scaling='median_after_clamp'),
    # SUN RGB-D, depth capped at 8 m by its own toolbox; no published code was read.
    DepthProtocol('sun-8m', 'no code read', 1e-3, 8.),
    # Virtual KITTI clear to fog: no published protocol was found; the sky is beyond the cap.
    DepthProtocol('vkitti-80m', 'no code read', 1e-3, 80.),
    # manydepth, Robust-Depth: 2048x1024 without its lower quarter.
    DepthProtocol('cityscapes-80m-median', 'nianticlabs/manydepth, Robust-Depth', 1e-3, 80.,
                  'cityscapes', 'without_ego_car', scaling='median'),
)
PROTOCOLS: Mapping[str, DepthProtocol] = {protocol.name: protocol for protocol in _TABLE}


def get_protocol(name: str) -> DepthProtocol:
    """
    Return a protocol by its name.

    :raises ProtocolError: naming those there are.
    """
    if name not in PROTOCOLS:
        raise ProtocolError(f"protocol '{name}': there are: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
