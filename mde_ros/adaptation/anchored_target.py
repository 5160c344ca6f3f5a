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

"""Frames of a target with depth whose scale is known without labels."""

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset


class AnchoredTarget(IndexedDataset):
    """
    A target whose frames carry anchors as their depth; labels of the target stay unread.

    An anchor is depth that was estimated from the frame itself, at a scale that something else
    has told, such as the height of the camera above the floor.

    :param target: opened with ``read_depth=False``.
    :param anchors: h x w float depth in metres by the name of the frame, of any size with the
        aspect of the image; frames without one are as they were.
    """

    def __init__(self, target: IndexedDataset, anchors: Mapping[str, NDArray[np.floating]]
                 ) -> None:
        if target.read_depth:
            raise ValueError(f'{target.name}: open targets with read_depth=False')
        super().__init__(target.path, read_depth=False)
        self.target, self.anchors = target, anchors
        self.name, self.names, self.meta = target.name, target.names, target.meta
        self.labelled = target.labelled

    def read(self, index: int) -> Frame:
        """Read one frame."""
        frame = self.target[index]
        anchor = self.anchors.get(frame.name)
        if anchor is None:
            return frame
        height, width = frame.image.shape[:2]
        return replace(frame, depth=cv2.resize(
            np.asarray(anchor, np.float32), (width, height), interpolation=cv2.INTER_NEAREST))
