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

"""Checkpoints of a training: complete, atomic, the last good ones kept."""

import logging
import os
from pathlib import Path
import pickle
import re
from typing import Any
import zipfile

from lightning_fabric import Fabric
import torch

from mde_ros.adaptation.errors import TrainingError

KEPT = 2

_log = logging.getLogger(__name__)


def checkpoint_paths(folder: Path) -> list[Path]:
    """Return the finished checkpoints of a run, newest first."""
    found = {int(match[1]): path for path in folder.glob('step-*.ckpt')
             if (match := re.fullmatch(r'step-(\d+)\.ckpt', path.name))}
    return [found[step] for step in sorted(found, reverse=True)]


def save_checkpoint(fabric: Fabric, folder: Path, step: int, state: dict[str, Any]) -> Path:
    """
    Write a checkpoint; a crash at any moment leaves the former ones whole.

    :param state: modules and optimisers by name, and plain values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'step-{step:07d}.ckpt'
    temporary = path.with_suffix('.part')
    fabric.save(temporary, state)
    if fabric.is_global_zero:
        with temporary.open('rb') as stream:
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        for old in checkpoint_paths(folder)[KEPT:]:
            old.unlink()
    fabric.barrier()
    return path


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """
    Return the newest readable checkpoint of a run, None when it has none.

    A damaged file, as after a power cut, is passed over for the one before it.

    :raises TrainingError: when there are checkpoints and none can be read.
    """
    paths = checkpoint_paths(folder)
    for path in paths:
        try:
            return _read(path)
        except (RuntimeError, OSError, EOFError, ValueError, KeyError, pickle.UnpicklingError,
                zipfile.BadZipFile) as error:
            damaged = ' '.join(str(error).split())[:160]
            _log.warning('%s: damaged, passed over: %s', path, damaged)
    if paths:
        raise TrainingError(f'{paths[0]}: damaged, and no older checkpoint is whole: {damaged}; '
                            'remove the folder to start again')
    return None


def _read(path: Path) -> dict[str, Any]:
    # PyTorch does not look at the checksums that it writes.
    with zipfile.ZipFile(path) as archive:
        if wrong := archive.testzip():
            raise zipfile.BadZipFile(f'checksum of {wrong}')
    # weights_only: plain tensors and values, no code is run.
    state: dict[str, Any] = torch.load(path, map_location='cpu', weights_only=True)
    return state
