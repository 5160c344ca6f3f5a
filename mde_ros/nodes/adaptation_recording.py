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

"""Records chosen images of a camera topic, while the depth node goes on."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage

from mde_ros.camera.intrinsics import Intrinsics
from mde_ros.datasets.frame import DatasetError, Frame
from mde_ros.datasets.image_codec import image_to_rgb
from mde_ros.datasets.image_message import CodecError
from mde_ros.datasets.rgbd_folder_files import list_images, META
from mde_ros.errors import MdeError
from mde_ros.nodes import diagnostics
from mde_ros.nodes.adaptation_extras import Extras
from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.calibration import FrameError
from mde_ros.nodes.camera_stream import AnyImage, CameraStream
from mde_ros.nodes.flow import Complaints
from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.messages import stamp_ns
from mde_ros.nodes.statistics import Snapshot
from mde_ros.nodes.worker import Worker
from mde_ros.onsite.recorder import Recorder
from mde_ros.onsite.recording_check import check_recording
from mde_ros.onsite.recording_status import ERROR, FULL


class RecordingError(MdeError):
    """A recording that cannot begin."""


def check(folder: Path) -> Sequence[str]:
    """Return the reasons why a recording is not fit to adapt to, each with what to do."""
    if not (folder / META).exists():
        return ['nothing is recorded yet: call ~/start_recording and drive around']
    return check_recording(folder)


class Recording:
    """
    The camera of the node and the recorder behind it.

    :param folder: of the recording.
    :param settings: returns the parameters of now.
    :raises mde_ros.camera.intrinsics.IntrinsicsError: for a camera_info_file that cannot be
        read.
    :raises mde_ros.nodes.adaptation_extras.ExtrasError: for a topic whose messages are not
        installed.
    """

    def __init__(self, node: Node, folder: Path, settings: Callable[[], Settings],
                 complain: Complaints, group: CallbackGroup) -> None:
        """Subscribe to nothing yet."""
        self.complete = self.error = ''
        self._folder, self._settings, self._complain = folder, settings, complain
        self._recorder: Recorder | None = None
        self._limits = settings()
        self._last_kept = 0
        self._mailbox: Mailbox[AnyImage] = Mailbox([''])
        self._worker: Worker[AnyImage] | None = None
        path = settings().camera_info_file
        self._stream = CameraStream(
            node, '', self._mailbox, settings=lambda: settings().stream(), wanted=lambda: True,
            complain=complain, group=group,
            calibrated=Intrinsics.from_yaml(path) if path else None)
        self._extras = Extras(node, settings(), complain, group)
        self._reported = Snapshot()
        self._there = self._count()

    def start(self, settings: Settings, again: bool) -> None:
        """
        Record.

        :param again: go on with the recording that a kill interrupted, whatever ``append`` says.
        :raises RecordingError: when an earlier recording cannot be put aside.
        """
        self.complete = self.error = ''
        if not again and not settings.append:
            self._put_aside()
        self._limits, self._recorder, self._last_kept = settings, None, 0
        self._there = self._count()
        self._worker = Worker(
            self._mailbox, lambda taken: self._process(*taken[0]), self._failed)
        self._worker.start()
        self._extras.open()
        self._stream.open()

    def stop(self) -> None:
        """Unsubscribe and finish the folder."""
        self._stream.close()
        self._extras.close()
        if self._worker is not None:
            for _ in self._worker.stop():
                self._stream.statistics.drop('stopped')
            self._worker = None
        if self._recorder is not None:
            self._recorder.close()
        self._there = self._count()

    def destroy(self) -> None:
        """Stop for good."""
        self.stop()
        self._stream.destroy()

    def follow_publishers(self) -> None:
        """Let the subscription follow its publishers' reliability."""
        self._stream.follow_publishers()

    def line(self) -> str:
        """Return what there is, in words."""
        recorder = self._recorder
        if recorder is None:
            return f'{self._there} frames in the folder'
        status = recorder.status()
        advice = f'; {status.advice}' if self._worker is not None else ''
        return f'{status.summary()}{advice}'

    def values(self) -> Mapping[str, Any]:
        """Return the counts."""
        recorder = self._recorder
        if recorder is None:
            return {'frames kept': self._there}
        status = recorder.status()
        return {
            'frames kept': status.frames, 'frames seen': status.seen,
            **{f'refused, {reason}': count for reason, count in sorted(status.refused.items())},
            **{f'unusable, {reason}': count for reason, count in sorted(status.bad.items())},
            'recording (MB)': f'{status.bytes / 1e6:.1f}',
            'recording (s)': f'{status.seconds:.0f}', 'advice': status.advice}

    def verdict(self) -> tuple[bytes, str] | None:
        """Return level and sentence of the camera while recording, else None."""
        if self._worker is None:
            return None
        now, before = self._stream.statistics.snapshot(time.monotonic()), self._reported
        self._reported = now
        topics = self._stream.topics
        level, sentence = diagnostics.judge(diagnostics.CameraReport(
            camera='', image_topic=topics.image, info_topic=topics.info, active=True, now=now,
            before=before, subscriptions=self._stream.qos_states(), intrinsics=None,
            model_id='', device='', silence_limit=self._settings().silence_limit))
        return (level, sentence) if level != DiagnosticStatus.OK else (level, self.line())

    def _process(self, _: str, message: AnyImage) -> None:
        """Give a frame to the recorder, in the worker's thread."""
        stamp = stamp_ns(message.header)
        statistics = self._stream.statistics
        # The recorder would say so too, but only after the image was decoded.
        if self._last_kept and 0 <= stamp - self._last_kept < self._limits.min_interval * 1e9:
            statistics.drop('max_rate')
            return
        try:
            image = image_to_rgb(message)
            intrinsics = self._stream.calibration.of_image(
                message.header, image.shape[1], image.shape[0])
            recorder = self._open(intrinsics)
        except CodecError as error:
            self._skip('bad image', str(error))
            return
        except FrameError as error:
            self._skip(error.reason, str(error))
            return
        except MdeError as error:
            self.error = self.error or str(error)
            statistics.drop('stopped')
            return
        kept = recorder.add(
            Frame('', stamp, image, intrinsics, self._extras.depth_at(stamp, image.shape[:2])),
            jpeg_of(message)).keep
        self._last_kept = stamp if kept else self._last_kept
        statistics.process(time.monotonic(), None, {})
        status = recorder.status()
        if status.state == FULL:
            self.complete = status.why
        elif status.state == ERROR:
            self.error = status.why

    def _open(self, intrinsics: Intrinsics) -> Recorder:
        """Return the recorder; its folder begins with the first image."""
        if self._recorder is None:
            settings = self._limits
            try:
                self._recorder = Recorder(
                    self._folder, intrinsics, settings.recording(), camera=settings.camera,
                    source=f'{self._stream.topics.image}, adaptation_node',
                    keep_depth=bool(settings.reference_topic))
            except DatasetError as error:
                raise RecordingError(f'{error}; or set append to false and call '
                                     '~/start_recording') from error
            self._extras.recorder = self._recorder
        return self._recorder

    def _put_aside(self) -> None:
        """Rename an earlier recording, so that a new one begins."""
        if not self._folder.exists():
            return
        stamp = datetime.now(timezone.utc).strftime('%Y%m%dT%H%M%S.%f')
        try:
            self._folder.rename(self._folder.with_name(f'{self._folder.name}-{stamp}'))
        except OSError as error:
            raise RecordingError(f'{self._folder}: cannot be put aside ({error.strerror}); set '
                                 'append to true, or mend its permissions') from error

    def _skip(self, reason: str, line: str) -> None:
        """Count an image that cannot be used."""
        self._stream.statistics.drop(reason)
        if self._recorder is not None:
            self._recorder.count_bad(reason)
        self._complain(f'recording {reason}', f'{self._stream.topics.image}: {line}')

    def _failed(self, _: str, __: AnyImage, error: Exception) -> None:
        """Count a frame that a defect ended."""
        self._skip('internal error', f'internal error, please report it: {error!r}')

    def _count(self) -> int:
        """Return the frames in the folder."""
        try:
            return len(list_images(self._folder / 'rgb'))
        except DatasetError:
            return 0


def jpeg_of(message: AnyImage) -> bytes | None:
    """Return a compressed image as it came, if it is a JPEG."""
    if not isinstance(message, CompressedImage):
        return None
    data = bytes(message.data)
    return data if data.startswith(b'\xff\xd8') else None
