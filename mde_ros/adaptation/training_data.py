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

"""Samples by number: sample i is the same whenever and wherever it is asked for."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from mde_ros.adaptation.augmentation import make_sample
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.rgbd_folder import RgbdFolder

ATTEMPTS = 20


class TrainingData(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """
    Random labelled samples of several folders, a pure function of (seed, number).

    This is what makes resuming exact: no state is kept between samples, so a training that
    starts again at step n sees what it would have seen.

    :param sources: labelled RGB-D folders.
    :param weights: how often each folder is drawn; None draws by its number of frames.
    :raises TrainingError: for no folders or empty ones.
    """

    def __init__(self, sources: Sequence[RgbdFolder], config: TrainConfig,
                 weights: Sequence[float] | None = None) -> None:
        if not sources:
            raise TrainingError('no data: give --source FOLDER')
        for source in sources:
            if not len(source):
                raise TrainingError(f'{source.name}: holds no frames')
            if not source.labelled:
                raise TrainingError(f'{source.path}: has no depth/: give labelled folders to '
                                    '--source')
        self.sources, self.config = list(sources), config
        shares = np.array(weights if weights is not None else [len(s) for s in sources], float)
        if (len(shares) != len(sources) or not (shares >= 0).all()
                or not 0 < shares.sum() < np.inf):
            raise TrainingError(
                f'source weights {shares.tolist()}: give one positive number a source')
        self.shares = shares / shares.sum()

    def __len__(self) -> int:
        """Return the number of samples of the whole training."""
        return self.config.steps * self.config.batch

    def _frame(self, rng: np.random.Generator) -> Frame:
        for _ in range(ATTEMPTS):
            source = self.sources[int(rng.choice(len(self.sources), p=self.shares))]
            # get() counts and reports a bad frame once, however often it is drawn.
            frame = source.get(int(rng.integers(len(source))))
            if frame and frame.depth is not None and np.isfinite(frame.depth).any():
                return frame
        raise TrainingError(
            f'{ATTEMPTS} frames in a row of {", ".join(s.name for s in self.sources)} are '
            'unreadable or have no depth: give labelled folders to --source')

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (image 3 x H x W uint8, log canonical depth 1 x H / 2 x W / 2)."""
        rng = np.random.default_rng((self.config.seed, number))
        width, height = self.config.size_at(number // self.config.batch)
        sample = make_sample(self._frame(rng), width, height, self.config, rng)
        return (torch.from_numpy(sample.image).permute(2, 0, 1),
                torch.from_numpy(sample.log_depth)[None])


class SharedBatches:
    """
    The sample numbers of each step that belong to one process, from ``first_step`` on.

    Samples are numbered over the global batch: N processes see together what one would.
    """

    def __init__(self, config: TrainConfig, first_step: int, rank: int = 0,
                 processes: int = 1) -> None:
        if config.batch % processes:
            raise TrainingError(
                f'batch = {config.batch}: must be a multiple of the {processes} processes')
        self.config, self.first_step = config, first_step
        self.rank, self.share = rank, config.batch // processes

    def __len__(self) -> int:
        """Return the number of steps left."""
        return max(self.config.steps - self.first_step, 0)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield one list of sample numbers a step."""
        for step in range(self.first_step, self.config.steps):
            first = step * self.config.batch + self.rank * self.share
            yield list(range(first, first + self.share))
