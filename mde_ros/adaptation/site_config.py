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

"""The parts of the method ``site``, each of which can be left out."""

from dataclasses import dataclass
from typing import ClassVar

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.method_parts import MethodParts

STATISTICS = ('shared', 'separate', 'frozen')


@dataclass(frozen=True)
class SiteConfig(MethodParts):
    """
    What the method ``site`` does; 0 leaves a part out.

    :param statistics: of the batch norms in training: 'shared' by source and target in one pass,
        'separate' with labels on the target's, 'frozen' as they are at the start.
    :param stylise: share of the labelled images that take the colours of a target image.
    :param consistency: weight of the teacher's depth on the target.
    :param student_zoom: smallest share of the teacher's image that the student sees; 1 for all
        of it. Metric depth is the same in both.
    :param start: share of the training before which the teacher is not asked.
    :param adversary: weight of a domain discriminator that sees content and predicted depth.
    :param precise: batches of the target on which its statistics are measured at the end.
    :param anchors: whether anchors that the target's frames may have are used.
    """

    method: ClassVar[str] = 'site'

    statistics: str = 'frozen'
    stylise: float = .5
    consistency: float = 1.0
    student_zoom: float = .6
    start: float = .1
    adversary: float = 0.
    precise: int = 0
    anchors: bool = True

    def __post_init__(self) -> None:
        """Check every field."""
        self.check_choice('statistics', STATISTICS)
        for name in ('stylise', 'start'):
            if not 0 <= getattr(self, name) <= 1:
                raise TrainingError(
                    f'site.{name} = {getattr(self, name)}: must lie between 0 and 1')
        if not 0 < self.student_zoom <= 1:
            raise TrainingError(f'site.student_zoom = {self.student_zoom}: must be above 0 and '
                                'at most 1')
        self.check_weights('consistency', 'adversary', 'precise')
