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

"""What a recorder has done so far, and what to do better."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from mde_ros.onsite.frame_choice import (
    BLURRED, DARK, OVEREXPOSED, PLAIN, SEEN, STILL, TOO_SOON)

# States: more frames are taken; a limit is reached; the disk failed; close() was called.
RECORDING, FULL, ERROR, CLOSED = 'recording', 'full', 'error', 'closed'

# What to do when most of the latest frames are refused for one reason.
REMEDIES = {
    DARK: 'too dark: {share} of the latest pictures; switch a light on or raise the exposure',
    OVEREXPOSED: 'overexposed: {share} of the latest pictures; lower the exposure or turn away '
                 'from lamps and windows',
    PLAIN: 'one colour: {share} of the latest pictures; uncover the lens, look at the room',
    BLURRED: 'blurred: {share} of the latest pictures; drive slower, clean or focus the lens',
    STILL: 'move the robot: {share} of the latest pictures show what is kept already',
    SEEN: 'go to other places: {share} of the latest pictures show what is kept already',
}
# Share of the latest pictures (those too soon after another left out) that calls for advice.
ADVICE_SHARE = .4


@dataclass(frozen=True)
class RecordingStatus:
    """
    Counts of a recorder.

    :param state: 'recording', 'full', 'error' or 'closed'.
    :param why: which limit is reached or what failed; '' while recording.
    :param seen: frames that this recorder was given.
    :param kept: of these, the frames that were written.
    :param frames: frames in the folder, earlier recordings included.
    :param refused: reason: count.
    :param bad: reason: count of frames that could not be used at all.
    :param seconds: between first and last frame, pauses left out.
    :param bytes: of the folder.
    :param advice: one line for the person who drives.
    """

    state: str
    why: str = ''
    seen: int = 0
    kept: int = 0
    frames: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.
    bytes: int = 0
    advice: str = ''

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)

    def summary(self) -> str:
        """Return one line."""
        parts = [f'{self.kept} of {self.seen} frames kept in {self.seconds:.0f} s',
                 f'{self.frames} in the folder ({self.bytes / 1e6:.1f} MB)']
        parts += [f'{count} {reason}' for counts in (self.refused, self.bad)
                  for reason, count in sorted(counts.items(), key=lambda entry: -entry[1])]
        if self.why:
            parts.append(f'{self.state}: {self.why}')
        return '; '.join(parts)


def advise(state: str, why: str, latest: list[str], kept: int, wanted: int) -> str:
    """
    Return one line on what to do now.

    :param latest: what became of the latest frames: reasons, '' for those kept.
    :param kept: frames in the folder.
    :param wanted: frames at which the recording ends.
    """
    if state != RECORDING:
        return f'{state}: {why}' if why else state
    looked_at = [reason for reason in latest if reason != TOO_SOON]
    if not looked_at:
        return 'no picture yet: is the camera running?' if not latest else 'going well'
    refused = Counter(reason for reason in looked_at if reason)
    reason, count = refused.most_common(1)[0] if refused else ('', 0)
    share = count / len(looked_at)
    if share >= ADVICE_SHARE:
        remedy = REMEDIES.get(reason, f'{reason}: {{share}} of the latest pictures')
        return remedy.format(share=f'{100 * share:.0f} %')
    return f'going well: {kept} of {wanted} frames'
