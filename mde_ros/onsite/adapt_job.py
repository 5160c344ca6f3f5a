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

"""One adaptation from recording to profile: refuse, train, check, write; killed and resumed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
import fcntl
import json
from pathlib import Path
from time import perf_counter
from typing import Any

from lightning_fabric import Fabric
import torch

from mde_ros.adaptation.anchored_target import AnchoredTarget
from mde_ros.adaptation.methods.registry import method_named
from mde_ros.adaptation.methods.site import Site
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.trainer import Trainer
from mde_ros.adaptation.training_data import TrainingData
from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.estimation.profile import save_profile
from mde_ros.estimation.profile_card import ProfileCard, SiteScale
from mde_ros.estimation.weights import load_weights, WeightCard
from mde_ros.evaluation.result_files import write_json
from mde_ros.evaluation.surroundings import peak_memory_mb
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.adapt_data import AdaptData, open_data
from mde_ros.onsite.adapt_report import AdaptReport
from mde_ros.onsite.adapt_settings import AdaptError, AdaptSettings
from mde_ros.onsite.adapt_start import check_pictures, refusals, starting_network
from mde_ros.onsite.check import judge, measure, Verdict
from mde_ros.onsite.check_motion import motion_points
from mde_ros.onsite.check_pictures import CheckPicture
from mde_ros.onsite.check_weather import in_weather
from mde_ros.onsite.mounted_camera import Mount, MountPrior, site_anchors
from mde_ros.onsite.priority import limit_threads, set_priority
from mde_ros.onsite.progress_file import ProgressFile, TimeLeft
from mde_ros.onsite.scale_anchor import (
    anchor_of, floor_measure, kept_scale, site_scale)
from mde_ros.onsite.source_gate import SourceForgotten, SourceGate
from mde_ros.onsite.target_statistics import (
    precise_statistics, statistics_batches, TRAILING)

RUN, PROFILE, REPORT = 'run', 'profile', 'report.json'
GATE_PICTURES = 16
MOTION_PAIRS = 60


class Cancelled(Exception):
    """The job was asked to stop; the same settings go on where it was."""


class AdaptJob:
    """
    The phases of one adaptation, in order.

    :param progress: takes the phase and the steps.
    :param stop: asked between steps and phases; True ends the job.
    """

    def __init__(self, settings: AdaptSettings, progress: ProgressFile,
                 stop: Callable[[], bool] = lambda: False) -> None:
        self.settings, self.progress, self.stop = settings, progress, stop
        self.seconds: dict[str, float] = {}
        self.mount: dict[str, Any] = {}

    def run(self) -> AdaptReport:
        """
        Adapt, or go on with what a killed process began.

        :raises Cancelled: when asked to stop; checkpoints are kept.
        :raises mde_ros.errors.MdeError: for what the user can mend.
        """
        settings = self.settings
        with self._phase('checking'):
            reasons = refusals(settings)
            if reasons and not settings.force:
                return self._finish(AdaptReport(False, 'refused: the recording is ' + '; '.join(
                    reasons)))
            anchor = anchor_of(settings)
            base, card = load_weights(settings.weights)
            start, started_from, scaled = starting_network(settings.profile, base, card)
        with self._phase('preparing source'):
            data = open_data(settings, self._preparing)
            config = settings.train_config(card.network, data.input_size(card.input_area))
            targets, sources = check_pictures(data, settings.check_frames, card.input_area)
            mount, anchored = self._anchor(start, card, data)
        with self._phase('training'):
            try:
                adapted = self._train(start, config, data, anchored, sources, {
                    'weights': card.sha256, 'profile': started_from, **data.facts})
            except SourceForgotten as error:
                return self._finish(AdaptReport(False, f'refused: {error}'))
        with self._phase('statistics'):
            if settings.method in TRAILING:
                adapted = precise_statistics(adapted, statistics_batches([data.target], config))
        with self._phase('check'):
            motion = motion_points([data.whole], MOTION_PAIRS, card.input_area)
            weather = in_weather(sources, settings.seed) if settings.weather else []
            before, after = (
                measure(network, targets, sources, motion, weather)
                | floor_measure(network, card, data.target_check, mount)
                for network in (start.eval(), adapted))
            verdict = judge(before, after, settings.source_rise, settings.trust_consistency)
            scale, problem = site_scale(anchor, adapted, card, data.whole, mount, kept_scale(
                before['level'], after['level'], scaled))
        with self._phase('writing'):
            return self._finish(self._write(base, card, adapted, data, verdict, scale, problem))

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        if self.stop():
            raise Cancelled
        self.progress.update(phase=name, seconds_left=None)
        begin = perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.) + perf_counter() - begin, 2)

    def _preparing(self, done: int, total: int) -> None:
        self.progress.update(step=done, steps=total)
        if self.stop():
            raise Cancelled

    def _anchor(self, start: DepthNetwork, card: WeightCard, data: AdaptData
                ) -> tuple[Mount | None, IndexedDataset]:
        """Return how the camera is mounted, and the target with labels from itself."""
        settings = self.settings
        if settings.method != Site.name:
            return None, data.target
        prior = None if settings.mount == 'free' else MountPrior(
            settings.camera_height, settings.camera_pitch, settings.camera_roll)
        mount, anchors = site_anchors(
            DepthEstimator((start, card)), self._while_wanted(data.target), prior)
        if mount is not None:
            self.mount = {'height': mount.height, 'known': mount.known,
                          'down': mount.down.tolist(), 'frames': mount.frames,
                          'of': len(data.target)}
        return mount, AnchoredTarget(data.target, anchors)

    def _while_wanted(self, frames: IndexedDataset) -> Iterator[Frame]:
        """Yield frames until the job is asked to stop."""
        for number, frame in enumerate(frames):
            self._preparing(number, len(frames))
            yield frame

    def _train(self, start: DepthNetwork, config: TrainConfig, data: AdaptData,
               target: IndexedDataset, sources: list[CheckPicture], identity: dict[str, Any]
               ) -> DepthNetwork:
        settings = self.settings
        samples = TrainingData(data.sources, config, None, [target])
        torch.manual_seed(config.seed)
        # A copy: what was before has to be compared with.
        network = DepthNetwork(config.network)
        network.load_state_dict(start.state_dict())
        fabric = Fabric(accelerator='cpu', devices=1,
                        precision=config.precision)  # type: ignore[arg-type]
        trainer = Trainer(method_named(settings.method)(network, config), samples,
                          settings.out / RUN, fabric, identity, workers=0)
        left = TimeLeft([width * height for width, height in map(
            config.size_at, range(config.steps))], trainer.step)

        def note(step: int, losses: dict[str, float]) -> None:
            self.progress.update(step=step, steps=config.steps, losses=losses,
                                 seconds_left=left.after(step))
            if self.stop() and step < config.steps:
                trainer.save()
                raise Cancelled

        self.progress.update(step=trainer.step, steps=config.steps)
        gate = SourceGate(start.eval(), sources[:GATE_PICTURES], settings.source_rise)
        adapted = trainer.run(gate, note)
        assert isinstance(adapted, DepthNetwork)
        self.seconds['steps'] = round(trainer.seconds, 2)
        return adapted

    def _write(self, base: DepthNetwork, card: WeightCard, adapted: DepthNetwork,
               data: AdaptData, verdict: Verdict, scale: SiteScale, problem: str
               ) -> AdaptReport:
        settings = self.settings
        check = verdict.to_dict()
        camera = str(data.target.meta.get('camera', ''))
        profile: ProfileCard = save_profile(
            settings.out / PROFILE, base, card, adapted, name=settings.name or data.target.name,
            camera=camera, scale=scale, intrinsics=data.camera().to_dict(),
            method=settings.method,
            report={'accepted': verdict.accepted, 'why': verdict.why, 'check': check,
                    'steps': settings.steps, 'seed': settings.seed, **data.facts})
        why = verdict.why + (f'; no scale: {problem}' if problem else '')
        return AdaptReport(verdict.accepted, why, f'{PROFILE}.safetensors', check,
                           {**asdict(scale), 'problem': problem},
                           {'profile_id': profile.profile_id, 'floor': self.mount,
                            'input': data.input_size(card.input_area), **data.facts})

    def _finish(self, report: AdaptReport) -> AdaptReport:
        settings = {name: value if isinstance(value, (int, float, str, type(None))) else str(value)
                    for name, value in vars(self.settings).items()}
        report = AdaptReport(**{
            **vars(report), 'settings': {**settings, **report.settings},
            'seconds': self.seconds, 'peak_memory_mb': round(peak_memory_mb(), 1)})
        write_json(self.settings.out / REPORT, json.loads(json.dumps(report.to_dict())))
        self.progress.update(phase='done', seconds_left=0.)
        return report


def adapt(settings: AdaptSettings, progress: ProgressFile | None = None,
          stop: Callable[[], bool] = lambda: False) -> AdaptReport:
    """
    Adapt to a new camera; writes OUT/profile.safetensors, OUT/profile.json and OUT/report.json.

    The same settings go on with a run that was killed or cancelled, and give what an
    undisturbed run gives, bit for bit. Threads and priority are those of the whole process.

    :param progress: takes the phases and steps.
    :param stop: asked between steps; True ends the job with a checkpoint kept.
    :raises Cancelled: when ``stop`` said so.
    :raises AdaptError: for another job in the same folder.
    :raises mde_ros.errors.MdeError: for what the user can mend.
    """
    set_priority(settings.priority)
    limit_threads(settings.threads)
    settings.out.mkdir(parents=True, exist_ok=True)
    with sole(settings.out):
        return AdaptJob(settings, progress or ProgressFile(None), stop).run()


@contextmanager
def sole(folder: Path) -> Iterator[None]:
    """
    Keep other jobs out of a folder; a killed one leaves no lock behind.

    :raises AdaptError: when another job is in it.
    """
    with (folder / '.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AdaptError(f'{folder}: another mde adapt is at work there: wait for it, or give '
                             'another --out') from error
        yield
