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

"""``mde benchmark speed``: all of it in one run, as numbers and as ratios."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import torch

from mde_ros.benchmarks.speed.contenders import contenders, EAGER, T2NET, t2net
from mde_ros.benchmarks.speed.roofline import Roofline, roofline_runs
from mde_ros.benchmarks.speed.stages import measure_way, pinhole
from mde_ros.benchmarks.speed.timing import in_milliseconds, ratio, take_turns
from mde_ros.estimation.backends.base import Backend, EngineSpec
from mde_ros.estimation.backends.cache import library_versions
from mde_ros.estimation.estimator import DepthEstimator
from mde_ros.evaluation.surroundings import machine
from mde_ros.network.complexity import count

CAMERAS = ((320, 240), (640, 480), (1280, 720), (1920, 1080))


@dataclass(frozen=True)
class SpeedSettings:
    """
    What is measured.

    :param inputs: of the network, (width, height); the first is compared with everything.
    :param cameras: image sizes for the frame's way.
    :param batches: numbers of cameras in one inference.
    :param rounds: turns of each contender.
    :param compiled: torch.compile too.
    """

    weights: str = 'shipped'
    inputs: Sequence[tuple[int, int]] = ((320, 240),)
    cameras: Sequence[tuple[int, int]] = CAMERAS
    batches: Sequence[int] = (1, 2, 4)
    rounds: int = 30
    threads: int = 1
    device: str = 'cpu'
    compiled: bool = False


QUICK = SpeedSettings()
FULL = SpeedSettings(inputs=((320, 240), (640, 480), (1280, 720), (1920, 1088)), rounds=200,
                     compiled=True)


def measure_speed(settings: SpeedSettings,
                  say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Return everything as JSON has it."""
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(settings.threads)
    estimator = DepthEstimator(settings.weights, threads=settings.threads,
                               device=settings.device, backend='auto')
    estimator.prepare()
    say(f'auto is {estimator.runs_on}')
    rows = []
    for index, size in enumerate(settings.inputs):
        spec = EngineSpec(*size, threads=settings.threads, device=settings.device)
        # Large inputs take seconds a pass: as many rounds for each pixel of work.
        rounds = max(3, settings.rounds * settings.inputs[0][0] * settings.inputs[0][1]
                     // (size[0] * size[1]))
        rows.append(networks(estimator, spec, rounds, compare=index == 0,
                             compiled=settings.compiled and index == 0))
        say(f"network input {size[0]}x{size[1]}: {rows[-1]['best']} is "
            f"{rows[-1]['contenders'][rows[-1]['best']]['times_as_fast_as_torch']} times as fast "
            'as torch eager')
    frames = [measure_way(estimator, pinhole(*size), settings.rounds, encoding)
              for size in settings.cameras for encoding in ('rgb8', 'jpeg')]
    return {
        'model': estimator.model_id, 'machine': machine(), 'versions': library_versions(),
        'settings': asdict(settings), 'auto': estimator.runs_on,
        'auto_measured_ms': {name: round(seconds * 1e3, 3) for name, seconds
                             in estimator.engines.measured.items()},
        'networks': rows, 'frames': frames,
        'cameras': cameras(estimator, settings)}


def networks(estimator: DepthEstimator, spec: EngineSpec, rounds: int, compare: bool,
             compiled: bool = False) -> dict[str, Any]:
    """
    Return the contenders on one input, in turns with the machine's limits.

    :param compare: with T2Net's U-Net as well.
    """
    network = estimator.engines.network
    found, missing = contenders(network, spec, compiled)
    gmacs = count(network, spec.width, spec.height).gmacs * spec.batch
    t2net_gmacs = None
    if compare:
        found[T2NET], other = t2net(spec)
        t2net_gmacs = round(count(other, spec.width, spec.height).gmacs, 3)
    limits, judge = roofline_runs(spec.threads)
    heavy = {name: found.pop(name) for name in [T2NET] if name in found}
    seconds = take_turns({**{name: one.run for name, one in found.items()}, **limits}, rounds,
                         repeats=3)
    seconds |= take_turns({name: one.run for name, one in heavy.items()}, max(3, rounds // 10),
                          warm_ups=1)
    limit = judge(seconds)
    found |= heavy
    best = min((name for name in found if name != T2NET), key=lambda n: min(seconds[n]))
    return {
        'input': f'{spec.width}x{spec.height}', 'batch': spec.batch, 'threads': spec.threads,
        'gmacs': round(gmacs, 4), 't2net_gmacs': t2net_gmacs, 'roofline': asdict(limit),
        'least_ms': round(limit.least_ms(gmacs), 3), 'best': best, 'missing': missing,
        'contenders': {name: _row(name, seconds, limit, gmacs, one.difference,
                                  one.mean_difference) for name, one in found.items()}}


def _row(name: str, seconds: dict[str, list[float]], limit: Roofline, gmacs: float,
         largest: float | None, mean: float | None) -> dict[str, Any]:
    """Return one contender as JSON has it."""
    row: dict[str, Any] = {
        'ms': in_milliseconds(seconds[name]),
        'times_as_fast_as_torch': ratio(seconds[EAGER], seconds[name])}
    if T2NET in seconds:
        row['times_as_fast_as_t2net'] = ratio(seconds[T2NET], seconds[name])
    if name != T2NET:
        row['times_of_roofline'] = round(
            in_milliseconds(seconds[name])['p50'] / limit.least_ms(gmacs), 3)
    if largest is not None:
        row['difference'] = {'largest': largest, 'mean': mean}
    return row


def cameras(estimator: DepthEstimator, settings: SpeedSettings) -> list[dict[str, Any]]:
    """Return the time a camera of several in one inference, and of one after the other."""
    size = settings.inputs[0]
    spec = EngineSpec(*size, threads=settings.threads, device=settings.device)
    engines: dict[int, Backend] = {
        batch: estimator.engines.of(spec.width, spec.height, batch) for batch in settings.batches}
    seconds = take_turns({str(batch): engine.run for batch, engine in engines.items()},
                         settings.rounds)
    one = in_milliseconds(seconds[str(settings.batches[0])])['p50'] / settings.batches[0]
    rows = []
    for batch, engine in engines.items():
        times = in_milliseconds(seconds[str(batch)])
        rows.append({'cameras': batch, 'backend': engine.name, 'ms': times,
                     'ms_a_camera': round(times['p50'] / batch, 3),
                     'times_as_fast_as_in_turn': round(one * batch / times['p50'], 3)})
    return rows


def at(settings: SpeedSettings, **changes: Any) -> SpeedSettings:
    """Return settings with what is not None changed."""
    return replace(settings, **{key: value for key, value in changes.items()
                                if value is not None})
