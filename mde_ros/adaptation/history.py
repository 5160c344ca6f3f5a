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

"""The loss history of a run: JSON lines and TensorBoard, cut back when a run resumes."""

import json
import os
from pathlib import Path
from typing import Any

import torch
from torch.utils.tensorboard import SummaryWriter


class History:
    """
    One record a step, readable while the training runs.

    :param folder: the run's folder; the records are in history.jsonl.
    :param first_step: records of this step and later are those of a crashed attempt: dropped.
    """

    def __init__(self, folder: Path, first_step: int) -> None:
        self.path = folder / 'history.jsonl'
        kept = [r for r in read_history(self.path) if r['step'] < first_step]
        # Aside and renamed: a kill at this moment must not take the history with it.
        aside = self.path.with_suffix('.part')
        aside.write_text(''.join(json.dumps(record) + '\n' for record in kept))
        os.replace(aside, self.path)
        self._stream = self.path.open('a')
        self._board = SummaryWriter(str(folder / 'tensorboard'), purge_step=first_step)

    def add(self, step: int, record: dict[str, Any]) -> None:
        """Write the numbers of a step."""
        self._stream.write(json.dumps({'step': step, **record}) + '\n')
        self._stream.flush()
        for name, value in record.items():
            self._board.add_scalar(name, value, step)

    def add_pictures(self, step: int, pictures: dict[str, torch.Tensor]) -> None:
        """Show named N x 3 x h x w pictures in [0, 1] in TensorBoard."""
        for name, images in pictures.items():
            self._board.add_images(name, images.float().cpu(), step)

    def close(self) -> None:
        """Finish the files."""
        self._stream.close()
        self._board.close()


def read_history(path: Path) -> list[dict[str, Any]]:
    """Return the records of a run; a line that a crash cut short is left out."""
    records = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records
