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

"""What the article leaves open in the method ``lfda``, to be tried."""

from dataclasses import dataclass
from typing import ClassVar

from mde_ros.adaptation.method_parts import MethodParts

STATISTICS = ('separate', 'shared')


@dataclass(frozen=True)
class LfdaConfig(MethodParts):
    """
    Choices of the method ``lfda``; the defaults are its faithful reading.

    :param statistics: of the batch norms: 'separate' by domain as in the article, or 'shared' by
        source and target in one pass.
    :param alignment: weight of the alignment of the contents at the end of its ramp.
    :param translated: weight of depth on labelled images in the target's style, through the
        target's path, which otherwise no label trains; 0 leaves them out.
    """

    method: ClassVar[str] = 'lfda'

    statistics: str = 'separate'
    alignment: float = .05
    translated: float = 0.

    def __post_init__(self) -> None:
        """Check every field."""
        self.check_choice('statistics', STATISTICS)
        self.check_weights('alignment', 'translated')
