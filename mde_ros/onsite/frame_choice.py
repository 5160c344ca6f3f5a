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

"""Which frames of a stream are worth having to adapt to a camera, and why the others not."""

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mde_ros.onsite.recording_look import CELLS, distances, Look, look_at
from mde_ros.onsite.recording_settings import RecordingSettings

# Why a frame is refused.
TOO_SOON, DARK, OVEREXPOSED, PLAIN, BLURRED, STILL, SEEN = REASONS = (
    'too soon', 'too dark', 'overexposed', 'one colour', 'blurred', 'no motion', 'seen before')
# Frames whose sharpness is remembered, and from how many on it says something.
SHARPNESS_WINDOW, SHARPNESS_START = 60, 5
CORNERS, FEWEST_CORNERS = 80, 8
# Share of corners that must be found again; fewer mean that another place is seen.
FOUND = .4
EVERYTHING_MOVED = 100.
_LOST_PIXELS = 1.
# A cut would take the usual 30 iterations for each corner.
_FLOW: dict[str, Any] = {
    'winSize': (15, 15), 'maxLevel': 3,
    'criteria': (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, .03)}


@dataclass(frozen=True)
class Choice:
    """
    What became of a frame.

    :param reason: one of REASONS, '' when the frame is worth having.
    :param measured: what was measured against which limit.
    :param motion: % of the longest side since the last kept frame; None where not measured.
    :param novelty: 1 - correlation to the most similar kept frame; None where not measured.
    """

    reason: str
    measured: str = ''
    motion: float | None = None
    novelty: float | None = None

    @property
    def keep(self) -> bool:
        """Return whether the frame is worth having."""
        return not self.reason


class FrameChooser:
    """
    Decide frame by frame; what is decided is remembered as kept.

    A frame of 640 x 480 pixels takes about 2 ms on one core. Not for several threads.

    :param settings: the limits.
    """

    def __init__(self, settings: RecordingSettings | None = None) -> None:
        self.settings = settings or RecordingSettings()
        self._sharpness: deque[float] = deque(maxlen=SHARPNESS_WINDOW)
        self._kept = np.zeros((64, CELLS[0] * CELLS[1]), np.float32)
        self._count = 0
        self._last_stamp = 0
        self._last: NDArray[np.uint8] | None = None
        self._corners: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of frames that are remembered as kept."""
        return self._count

    def consider(self, image: NDArray[np.uint8], stamp_ns: int = 0) -> Choice:
        """
        Decide on a frame; when it is to be kept, the next ones are compared with it.

        :param image: H x W x 3 uint8 RGB.
        :param stamp_ns: acquisition time, 0 when unknown: then no interval is asked for.
        """
        if self._too_soon(stamp_ns):
            return Choice(TOO_SOON, f'{(stamp_ns - self._last_stamp) / 1e9:.2f} s after the last, '
                                    f'min_interval is {self.settings.min_interval:g} s')
        look = look_at(image)
        choice = self._judge(look)
        self._sharpness.append(look.sharpness)
        if choice.keep:
            self._remember(look, stamp_ns)
        return choice

    def remember(self, image: NDArray[np.uint8], stamp_ns: int = 0) -> None:
        """Take a frame as kept without deciding, as when an earlier recording goes on."""
        self._remember(look_at(image), stamp_ns)

    def forget_last(self) -> None:
        """Take back the last kept frame, when it could not be written."""
        if self._count:
            self._count -= 1
            self._last, self._corners, self._last_stamp = None, None, 0

    def _too_soon(self, stamp_ns: int) -> bool:
        # A stamp that went back belongs to another recording.
        passed = stamp_ns - self._last_stamp
        return bool(stamp_ns and self._last_stamp and passed >= 0
                    and passed < round(self.settings.min_interval * 1e9))

    def _judge(self, look: Look) -> Choice:
        limits = self.settings
        if look.brightness < limits.min_brightness:
            return Choice(DARK, f'mean grey level {look.brightness:.0f}, '
                                f'min_brightness is {limits.min_brightness:g}')
        if look.dark > limits.max_dark:
            return Choice(DARK, f'{look.dark:.0%} of the pixels are black, '
                                f'max_dark is {limits.max_dark:.0%}')
        if look.brightness > limits.max_brightness:
            return Choice(OVEREXPOSED, f'mean grey level {look.brightness:.0f}, '
                                       f'max_brightness is {limits.max_brightness:g}')
        if look.bright > limits.max_bright:
            return Choice(OVEREXPOSED, f'{look.bright:.0%} of the pixels are white, '
                                       f'max_bright is {limits.max_bright:.0%}')
        if look.contrast < limits.min_contrast:
            return Choice(PLAIN, f'contrast of {look.contrast:.1f} grey levels, '
                                 f'min_contrast is {limits.min_contrast:g}')
        return self._judge_sharpness(look) or self._judge_view(look)

    def _judge_sharpness(self, look: Look) -> Choice | None:
        if len(self._sharpness) < SHARPNESS_START:
            return None
        usual = median(self._sharpness)
        if look.sharpness >= self.settings.min_sharpness * usual:
            return None
        return Choice(BLURRED, f'sharpness is {look.sharpness / usual:.0%} of the usual, '
                               f'min_sharpness is {self.settings.min_sharpness:.0%}')

    def _judge_view(self, look: Look) -> Choice:
        limits = self.settings
        if not self._count:
            return Choice('')
        motion = None
        novelty = max(0., float(distances(look.descriptor, self._kept[:self._count]).min()))
        if self._last is not None and limits.min_motion > 0:
            motion = self._motion(self._last, look.thumbnail)
            # Where the camera stands still, only much that is new is worth a frame.
            if motion < limits.min_motion and novelty < limits.min_change:
                return Choice(
                    STILL, f'moved by {motion:.2f} % of its size, min_motion is '
                    f'{limits.min_motion:g} %; differs by {novelty:.3f} from a kept frame, '
                    f'min_change is {limits.min_change:g}', motion, novelty)
        if novelty < limits.min_novelty:
            return Choice(SEEN, f'differs by {novelty:.3f} from a kept frame, min_novelty is '
                                f'{limits.min_novelty:g}', motion, novelty)
        return Choice('', '', motion, novelty)

    def _motion(self, before: NDArray[np.uint8], now: NDArray[np.uint8]) -> float:
        """Return the median motion of corners in % of the longest side; of a cut, 100."""
        if before.shape != now.shape:
            return EVERYTHING_MOVED
        if self._corners is None:
            found = cv2.goodFeaturesToTrack(before, CORNERS, .01, 6)
            self._corners = np.zeros((0, 1, 2), np.float32) if found is None else found
        corners = self._corners
        if len(corners) < FEWEST_CORNERS:
            return EVERYTHING_MOVED  # too plain to follow: novelty alone decides
        there, found_there, _ = cv2.calcOpticalFlowPyrLK(before, now, corners, None, **_FLOW)
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(now, before, there, None, **_FLOW)
        good = ((found_there.ravel() > 0) & (found_back.ravel() > 0)
                & (np.linalg.norm((back - corners)[:, 0], axis=1) < _LOST_PIXELS))
        if good.mean() < FOUND:
            return EVERYTHING_MOVED
        moved = np.linalg.norm((there - corners)[good, 0], axis=1)
        return float(np.median(moved) * 100 / max(now.shape))

    def _remember(self, look: Look, stamp_ns: int) -> None:
        if self._count == len(self._kept):
            self._kept = np.concatenate([self._kept, np.zeros_like(self._kept)])
        self._kept[self._count] = look.descriptor
        self._count += 1
        self._last, self._corners, self._last_stamp = look.thumbnail, None, stamp_ns
