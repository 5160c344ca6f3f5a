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
import logging

import numpy as np
import torch
from torch.utils.data import Dataset

from mde_ros.adaptation.anchored_target import AnchoredTarget
from mde_ros.adaptation.augmentation import make_sample, make_target
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.methods.base import Batch
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset

ATTEMPTS = 20
# Fewer pictures than this say nothing of a camera's statistics.
SMALLEST_TARGET = 8

_log = logging.getLogger(__name__)


class TrainingData(Dataset[Batch]):
    """
    Random samples of several data sets, a pure function of (seed, number).

    This is what makes resuming exact: no state is kept between samples, so a training that
    starts again at step n sees what it would have seen.

    :param sources: labelled data sets.
    :param weights: how often each one is drawn; None draws by its number of frames.
    :param targets: data sets of the target, opened with ``read_depth=False``: labels that are
        there by mistake are never read.
    :raises TrainingError: for no folders, or empty or too small ones.
    """

    def __init__(self, sources: Sequence[IndexedDataset], config: TrainConfig,
                 weights: Sequence[float] | None = None,
                 targets: Sequence[IndexedDataset] = ()) -> None:
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
        self.targets = list(targets)
        for target in self.targets:
            if target.read_depth:
                raise ValueError(f'{target.name}: open targets with read_depth=False')
            if target.labelled:
                _log.info('%s has depth: a target is unlabelled, it is not read', target.path)
        self.anchored = any(isinstance(target, AnchoredTarget) for target in self.targets)
        self.target_frames = sum(map(len, self.targets))
        if self.targets and self.target_frames < SMALLEST_TARGET:
            raise TrainingError(
                f'{", ".join(str(t.path) for t in self.targets)}: {self.target_frames} frames of '
                f'the target where at least {SMALLEST_TARGET} are needed: record more')

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

    def _target(self, width: int, height: int, rng: np.random.Generator
                ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return one picture of the target, 3 x H x W uint8, and its anchor."""
        for _ in range(ATTEMPTS):
            index = int(rng.integers(self.target_frames))
            for target in self.targets:
                if index < len(target):
                    break
                index -= len(target)
            frame = target.get(index)
            if frame is not None:
                sample = make_target(frame, width, height, self.config, rng)
                return torch.from_numpy(sample.image).permute(2, 0, 1), (
                    torch.from_numpy(sample.log_depth)[None] if self.anchored else None)
        reasons = {reason for t in self.targets for reason in t.skipped}
        raise TrainingError(
            f'{ATTEMPTS} frames in a row of {", ".join(t.name for t in self.targets)} are '
            f'unreadable ({"; ".join(sorted(reasons))}): record them again')

    def __getitem__(self, number: int) -> Batch:
        """Return one sample, without the first dimension that :func:`collate` adds."""
        rng = np.random.default_rng((self.config.seed, number))
        width, height = self.config.size_at(number // self.config.batch)
        sample = make_sample(self._frame(rng), width, height, self.config, rng)
        target, anchor = torch.empty(0, dtype=torch.uint8), None
        if self.targets:
            # A generator of its own: a target leaves the source's samples as they were.
            target, anchor = self._target(
                width, height, np.random.default_rng((self.config.seed, number, 1)))
        return Batch(torch.from_numpy(sample.image).permute(2, 0, 1),
                     torch.from_numpy(sample.log_depth)[None], target,
                     torch.tensor(sample.focal, dtype=torch.float32), anchor)


def collate(samples: Sequence[Batch]) -> Batch:
    """Stack samples to a batch; without a target its part is 0 x 3 x H x W."""
    image = torch.stack([s.image for s in samples])
    target = (torch.stack([s.target for s in samples]) if samples[0].target.numel()
              else image[:0])
    anchors = [s.anchor for s in samples if s.anchor is not None]
    return Batch(image, torch.stack([s.log_depth for s in samples]), target,
                 torch.stack([s.focal for s in samples if s.focal is not None]),
                 torch.stack(anchors) if anchors else None)


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
