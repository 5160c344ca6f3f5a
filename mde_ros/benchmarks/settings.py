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

"""How much is rendered and trained: the sizes quick and full."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.network.depth_network import SIZES as NETWORKS

# Fields of TrainConfig that are the same for all methods of a table.
SHARED = ('steps', 'batch', 'sizes', 'seed', 'network')
# The warm start sees other samples than what follows it.
WARM_SEED = 1_000_000


@dataclass(frozen=True)
class Settings:
    """
    What all methods of a table share.

    :param source_frames: simulated frames of the source.
    :param adapt_frames: simulated frames of the target that methods see without labels.
    :param score_frames: simulated frames of the target that are scored.
    :param frame_width: of simulated frames.
    :param width: of the network's input in training.
    :param appearance: probability of a random camera appearance of a source image. None of the
        predecessors has one, so it is 0 for all rows but those whose file sets it.
    :param warm_steps: steps of the source-only start that the methods share.
    :param steps: steps of each method after it; methods with a network of their own take both.
    :param batch: labelled source images a step, and as many of the target.
    :param network: size of our network.
    :param learning_rate: of our network after the warm start; the warm start has 1e-3.
    :param translator_channels: first channels of the image translation of t2net_ours; 64 as
        published is 15 times the cost of all other methods together. t2net keeps its 64.
    :param max_depth: largest label in metres that is used; None takes that of TrainConfig.
    """

    source_frames: int = 1500
    adapt_frames: int = 400
    score_frames: int = 150
    frame_width: int = 192
    frame_height: int = 144
    width: int = 128
    height: int = 96
    appearance: float = 0.
    views_per_room: int = 6
    warm_steps: int = 600
    steps: int = 400
    batch: int = 8
    network: str = 'base'
    learning_rate: float = 5e-4
    precision: str = 'bf16-mixed'
    translator_channels: int = 16
    max_depth: float | None = None

    def __post_init__(self) -> None:
        """Check what nothing else does."""
        for name in ('source_frames', 'adapt_frames', 'score_frames', 'views_per_room', 'steps',
                     'batch', 'translator_channels'):
            if getattr(self, name) < 1:
                raise BenchmarkError(f'{name} = {getattr(self, name)}: must be at least 1')
        if self.warm_steps < 0:
            raise BenchmarkError(f'warm_steps = {self.warm_steps}: must not be negative')
        if self.network not in NETWORKS:
            raise BenchmarkError(f"network '{self.network}': use one of {', '.join(NETWORKS)}")

    @classmethod
    def of(cls, size: str, **changes: Any) -> 'Settings':
        """
        Return the settings of 'quick' or 'full' with some changed.

        :param changes: by field; None leaves a field as it is.
        :raises BenchmarkError: for an unknown size or field.
        """
        if size not in SIZES:
            raise BenchmarkError(f"size '{size}': use one of {', '.join(SIZES)}")
        unknown = set(changes) - {field.name for field in fields(cls)}
        if unknown:
            raise BenchmarkError(f"unknown settings {', '.join(sorted(unknown))}")
        return cls(**{**SIZES[size],
                      **{name: value for name, value in changes.items() if value is not None}})

    def frames(self, role: str) -> int:
        """Return the number of simulated frames of 'source', 'adapt' or 'score'."""
        return int(getattr(self, f'{role}_frames'))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON knows them."""
        return asdict(self)

    def train_config(self, seed: int, values: dict[str, Any], *, warm: bool = False,
                     whole: bool = False, images: int = 1) -> TrainConfig:
        """
        Return the settings of one training.

        :param values: what the method's own file changes.
        :param warm: the warm start.
        :param whole: all steps in one stage, for networks that cannot take the warm start.
        :param images: batches of labelled images a step.
        """
        first = warm or whole or not self.warm_steps
        steps = self.warm_steps if warm else self.steps + whole * self.warm_steps
        return TrainConfig(**{
            'learning_rate': TrainConfig.learning_rate if first else self.learning_rate,
            'max_depth': self.max_depth or TrainConfig.max_depth,
            'precision': self.precision, 'appearance': self.appearance,
            'warm_up': min(200, max(1, steps // 10)),
            'checkpoint_every': max(2, min(500, steps // 5)), **values,
            'validate_every': steps, 'steps': steps, 'batch': self.batch * images,
            'sizes': ((1., self.width, self.height),), 'network': NETWORKS[self.network],
            'seed': seed + WARM_SEED * warm})


SIZES: dict[str, dict[str, Any]] = {
    'quick': {},
    'full': {'source_frames': 20000, 'adapt_frames': 4000, 'score_frames': 500,
             'frame_width': 320, 'frame_height': 240, 'width': 320, 'height': 240,
             'warm_steps': 6000, 'steps': 6000, 'batch': 16, 'translator_channels': 64},
}
