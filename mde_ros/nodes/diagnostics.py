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

"""What /diagnostics says of each camera: numbers, a level and a sentence on what to do."""

from dataclasses import dataclass
import math

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.nodes.qos import BEST_EFFORT, QosState, RELIABLE
from mde_ros.nodes.statistics import RATE_WINDOW, Snapshot

# Share of images lost before the node from which a warning is worth its while.
LOSS_WARNING = 0.1
# Reasons of dropping that are how the node is meant to work.
NORMAL_DROPS = ('busy', 'idle', 'max_rate', 'disabled', 'stopped')


@dataclass(frozen=True)
class CameraReport:
    """
    Everything that a camera's status is made of.

    :param before: the snapshot of the report before, to see what is new.
    :param subscriptions: QoS of the image subscription and others.
    """

    camera: str
    image_topic: str
    info_topic: str
    active: bool
    now: Snapshot
    before: Snapshot
    subscriptions: tuple[QosState, ...]
    intrinsics: Intrinsics | None
    model_id: str
    device: str
    silence_limit: float


def judge(report: CameraReport) -> tuple[bytes, str]:
    """Return the level and the sentence: the first thing that is wrong, and what to do."""
    now, before = report.now, report.before
    topic = report.image_topic
    if not report.active:
        return DiagnosticStatus.STALE, 'not active: configure and activate the node'
    for state in report.subscriptions:
        if not state.compatible:
            return DiagnosticStatus.ERROR, state.advice()
    if now.silent_for > report.silence_limit:
        if not report.subscriptions[0].offered:
            return DiagnosticStatus.ERROR, (
                f'nobody publishes {topic}: start the camera or remap image:=TOPIC')
        return DiagnosticStatus.ERROR, (
            f'no frames for {report.silence_limit:.0f} s on {topic}: check '
            f'ros2 topic info -v {topic}')
    new = {reason: count - before.dropped.get(reason, 0)
           for reason, count in now.dropped.items() if reason not in NORMAL_DROPS}
    worst = max(new, key=lambda reason: new[reason], default='')
    if worst and new[worst] > 0:
        advice = {
            'no camera_info': f'remap camera_info ({report.info_topic}) or set camera_info_file',
            'bad camera_info': f'calibrate the camera behind {report.info_topic}',
            'camera_info size mismatch':
                f'publish the camera_info of this image size on {report.info_topic}',
            'bad image': f'see the log for what is wrong with {topic}',
        }.get(worst, 'see the log')
        return DiagnosticStatus.ERROR, f"{new[worst]} frames dropped, '{worst}': {advice}"
    lost = now.lost - before.lost
    arrived = now.received - before.received
    if lost > LOSS_WARNING * (lost + arrived):
        image = report.subscriptions[0]
        other = 'set image_reliability to reliable' if (
            image.requested == BEST_EFFORT and set(image.offered) == {RELIABLE}
        ) else 'if this machine is overloaded, lower the rate of the camera'
        return DiagnosticStatus.WARN, (
            f'{topic} is published at {now.source_rate:.0f} Hz and received at '
            f'{now.input_rate:.0f} Hz: images are lost in transport; let the publisher use '
            f'config/fastdds_large_images.xml too, or {other}')
    if now.noted.get('clock mismatch', 0) > before.noted.get('clock mismatch', 0):
        return DiagnosticStatus.WARN, (
            f'stamps of {topic} do not belong to the clock of this node: set use_sim_time for '
            'bags and simulators, or synchronise the clocks; no ages are shown')
    if now.noted.get('stamp backwards', 0) > before.noted.get('stamp backwards', 0):
        return DiagnosticStatus.WARN, f'stamps of {topic} went back: is a bag played in a loop?'
    if now.dropped.get('disabled', 0) > before.dropped.get('disabled', 0):
        return DiagnosticStatus.OK, 'disabled: call ~/enable to go on'
    if now.dropped.get('idle', 0) > before.dropped.get('idle', 0):
        return DiagnosticStatus.OK, 'idle: nobody subscribes to an output'
    return DiagnosticStatus.OK, (
        f'{now.input_rate:.1f} Hz in, {now.output_rate:.1f} Hz out, '
        f'age p95 {_milliseconds(now.age[1])} ms')


def camera_status(node_name: str, report: CameraReport) -> DiagnosticStatus:
    """Return the status of one camera."""
    level, sentence = judge(report)
    now = report.now
    values: dict[str, object] = {
        'input rate (Hz)': f'{now.input_rate:.2f}',
        'output rate (Hz)': f'{now.output_rate:.2f}',
        'publisher rate (Hz)': f'{now.source_rate:.2f}',
        'rate window (s)': RATE_WINDOW,
        'received': now.received,
        'processed': now.processed,
        'pending': now.pending,
        'lost before the node': now.lost,
        'dropped_busy': now.dropped.get('busy', 0),
        **{f'dropped, {reason}': count for reason, count in sorted(now.dropped.items())
           if reason != 'busy'},
        **{f'noted, {what}': count for what, count in sorted(now.noted.items())},
        **{f'age p{rank} (ms)': _milliseconds(age)
           for rank, age in zip((50, 95, 99), now.age)},
        **{f'inference p{rank} (ms)': _milliseconds(seconds)
           for rank, seconds in zip((50, 95), now.inference)},
        **{f'{stage} p50 (ms)': _milliseconds(seconds)
           for stage, seconds in now.stages.items() if stage != 'inference'},
        'model': report.model_id,
        'device': report.device,
        **{f'QoS {state.topic}': state.describe() for state in report.subscriptions},
    }
    if report.intrinsics is not None:
        k = report.intrinsics
        values['camera'] = f'{k.width}x{k.height}, fx {k.fx:.2f}'
    return DiagnosticStatus(
        level=level, name=f'{node_name}: {report.camera or "camera"}', message=sentence,
        hardware_id=report.image_topic,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()])


def unconfigured_status(node_name: str, refusal: str) -> DiagnosticStatus:
    """Return the status of a node without cameras: waiting, or with the reason of a failure."""
    return DiagnosticStatus(
        level=DiagnosticStatus.ERROR if refusal else DiagnosticStatus.STALE, name=node_name,
        message=refusal or f'not configured: run ros2 lifecycle set {node_name} configure')


def _milliseconds(seconds: float) -> str:
    """Return milliseconds with one decimal, '-' where nothing was measured."""
    return '-' if math.isnan(seconds) else f'{1000 * seconds:.1f}'
