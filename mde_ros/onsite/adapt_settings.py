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

"""What decides an adaptation, checked before anything is computed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.methods.registry import method_named, METHODS
from mde_ros.adaptation.site_config import SiteConfig
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.camera.resize import network_size
from mde_ros.errors import MdeError
from mde_ros.estimation.weights import SHIPPED
from mde_ros.network.depth_network import NetworkConfig
from mde_ros.onsite.check import SOURCE_RISE
from mde_ros.onsite.priority import PRIORITIES

DEFAULT_METHOD = 'site'
PRECISIONS = ('auto', '32-true', 'bf16-mixed')
# Of the steps, and of the input's sides: on five real cameras as good as all at full size.
SMALLER_SHARE, SMALLER_SIDES = .6, .8
MOUNTS, TRAINABLE = ('auto', 'free'), ('all', 'site')


class AdaptError(MdeError):
    """An adaptation that cannot start or go on; the message names the option to change."""


def fast_precision() -> str:
    """Return bf16-mixed on processors that compute in bfloat16, 32-true on others."""
    try:
        flags = Path('/proc/cpuinfo').read_text()
    except OSError:
        flags = ''
    has = any(flag in flags for flag in ('avx512_bf16', 'amx_bf16'))
    return 'bf16-mixed' if has and torch.backends.mkldnn.is_available() else '32-true'


def stages(seen: tuple[int, int]) -> tuple[tuple[float, int, int], ...]:
    """Return the stages of a training that ends with the input ``seen``: cheaper steps first."""
    smaller = network_size(*seen, round(SMALLER_SIDES ** 2 * seen[0] * seen[1]))
    return (SMALLER_SHARE, *smaller), (1 - SMALLER_SHARE, *seen)


@dataclass(frozen=True)
class AdaptSettings:
    """
    Settings of ``mde adapt``; each field is the option of the same name.

    :param target: recording of the new camera: FOLDER, FOLDER:SPLIT or KIND:PATH; its depth,
        if it has any, is not read.
    :param out: folder of the run; the same settings go on with it.
    :param weights: weights to start from: a file, or 'shipped'.
    :param profile: profile to go on from: a file or a store folder; '' for none.
    :param source: labelled data; () takes the stored replay of simulated rooms.
    :param replay: folder of the stored replay; None for the user's cache.
    :param replay_frames: frames that are rendered where there is no replay yet.
    :param split: of the target's frames to learn from; '' takes adapt where there is one.
    :param method: adaptation method.
    :param trainable: 'all' weights, which makes a profile of some 9 MB, or 'site': a tenth of it,
        and less accurate.
    :param steps: optimiser steps.
    :param batch: images of source and of target a step.
    :param sizes: stages of training, each (share of the steps, width, height); () ends with the
        input that the network has for the target's camera, after 0.6 of the steps at four fifths
        of its sides. At another size the network learns another scale.
    :param learning_rate: of what the method trains.
    :param weather: share of the labelled pictures that are seen through random haze, fog or smoke,
        rendered from their depth: for places where the camera meets it.
    :param seed: of samples and augmentation.
    :param precision: '32-true', 'bf16-mixed', or 'auto': what this processor is faster in.
    :param threads: of PyTorch and OpenCV.
    :param priority: 'normal', 'low' or 'idle'.
    :param checkpoint_every: steps between checkpoints.
    :param check_frames: most pictures of the target, and of the source, that the check sees.
    :param source_rise: share by which the error on the source may rise.
    :param trust_consistency: accept what is more consistent where nothing in the recording tells
        whether depth is better.
    :param force: go on with a recording that is not good enough.
    :param name: of the profile; '' takes the recording's.
    :param tape: measured distance in metres to what is in the middle of the pictures.
    :param camera_height: of the camera over the floor, metres.
    :param camera_pitch: degrees by which a camera of known height looks down; without it, it is
        seen from the floor.
    :param camera_roll: degrees by which it is turned clockwise, with a pitch.
    :param mount: 'auto' looks whether the camera is mounted over a floor, and then has all frames
        agree on it; 'free' does not look.
    :param ranges: file of range readings.
    :param odometry: file of poses, as a recording has it in odometry.jsonl.
    """

    target: str
    out: Path
    weights: str = SHIPPED
    profile: str = ''
    source: tuple[str, ...] = ()
    replay: Path | None = None
    replay_frames: int = 240
    split: str = ''
    method: str = DEFAULT_METHOD
    trainable: str = 'all'
    steps: int = 300
    batch: int = 4
    sizes: tuple[tuple[float, int, int], ...] = ()
    learning_rate: float = 2e-4
    weather: float = 0.
    seed: int = 0
    precision: str = 'auto'
    threads: int = 1
    priority: str = 'normal'
    checkpoint_every: int = 50
    check_frames: int = 24
    source_rise: float = SOURCE_RISE
    trust_consistency: bool = False
    force: bool = False
    name: str = ''
    tape: float | None = None
    camera_height: float | None = None
    camera_pitch: float | None = None
    camera_roll: float = 0.
    mount: str = 'auto'
    ranges: Path | None = None
    odometry: Path | None = None

    def __post_init__(self) -> None:
        """Check every field."""
        for field, allowed in (('priority', PRIORITIES), ('precision', PRECISIONS),
                               ('mount', MOUNTS), ('trainable', TRAINABLE)):
            if getattr(self, field) not in allowed:
                raise AdaptError(f"--{field} '{getattr(self, field)}': use one of "
                                 f'{", ".join(allowed)}')
        for field, least in (('threads', 1), ('check_frames', 4), ('replay_frames', 8)):
            if getattr(self, field) < least:
                raise AdaptError(f'--{field.replace("_", "-")} {getattr(self, field)}: must be at '
                                 f'least {least}')
        for field in ('source_rise', 'weather'):
            if not 0 <= getattr(self, field) <= 1:
                raise AdaptError(f'--{field.replace("_", "-")} {getattr(self, field)}: must lie '
                                 'between 0 and 1')
        for field in ('tape', 'camera_height'):
            value = getattr(self, field)
            if value is not None and not .05 <= value <= 100:
                raise AdaptError(f'--{field.replace("_", "-")} {value}: give metres between 0.05 '
                                 'and 100')
        if self.camera_pitch is not None and not -90 < self.camera_pitch < 90:
            raise AdaptError(f'--camera-pitch {self.camera_pitch}: give degrees between -90 '
                             'and 90')
        if not -180 <= self.camera_roll <= 180:
            raise AdaptError(f'--camera-roll {self.camera_roll}: give degrees between -180 '
                             'and 180')
        if self.camera_pitch is None and self.camera_roll:
            raise AdaptError('--camera-roll: give --camera-pitch too')
        given = [name for name in ('tape', 'camera_height', 'ranges', 'odometry')
                 if getattr(self, name) is not None]
        if len(given) > 1:
            names = ' and '.join('--' + name.replace('_', '-') for name in given)
            raise AdaptError(f'{names}: give one scale anchor')
        try:
            if not method_named(self.method).needs_target:
                raise AdaptError(f'--method {self.method}: it sees no target; use one of '
                                 f'{", ".join(n for n, m in METHODS.items() if m.needs_target)}')
            self.train_config(NetworkConfig(), (320, 240))
        except TrainingError as error:
            raise AdaptError(str(error)) from error

    def train_config(self, network: NetworkConfig, seen: tuple[int, int]) -> TrainConfig:
        """
        Return the trainer's settings.

        :param seen: width and height of the input that the network has for the target's camera.
        :raises TrainingError: naming the field that is wrong.
        """
        values: dict[str, Any] = {
            'steps': self.steps, 'batch': self.batch, 'seed': self.seed,
            'sizes': self.sizes or stages(seen),
            'learning_rate': self.learning_rate, 'weather': self.weather,
            'warm_up': min(30, self.steps // 10),
            'average': .99, 'checkpoint_every': self.checkpoint_every,
            # How often the source is watched: see SourceGate.
            'validate_every': max(1, self.steps // 6),
            'precision': fast_precision() if self.precision == 'auto' else self.precision,
            'network': network}
        values['trainable'] = self.trainable
        # Labels are there from the start, and there are few of them beside the source.
        values['site'] = SiteConfig(consistency=2., start=0.)
        return TrainConfig(**values)
