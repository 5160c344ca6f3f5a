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

"""Tests of the worker thread."""

import threading

from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.worker import Worker


def make(process, failed=lambda *_: None, slots=('a', 'b')):
    box = Mailbox(slots)
    worker = Worker(box, process, failed)
    worker.start()
    return box, worker


def test_items_are_processed_in_another_thread_until_stopped():
    seen, done = [], threading.Event()

    def process(camera, item):
        seen.append((camera, item, threading.current_thread().name))
        done.set()

    box, worker = make(process)
    box.put('b', 3)
    assert done.wait(10)
    assert worker.stop() == {}
    assert seen == [('b', 3, 'depth worker')]


def test_an_exception_is_reported_and_the_next_item_is_processed():
    failures, done = [], threading.Event()

    def process(camera, item):
        if item == 'bad':
            raise ZeroDivisionError(item)
        done.set()

    box, worker = make(process, lambda *failure: failures.append(failure))
    box.put('a', 'bad')
    box.put('b', 'good')
    assert done.wait(10)
    worker.stop()
    assert [(camera, item, str(error)) for camera, item, error in failures] == [
        ('a', 'bad', 'bad')]


def test_stopping_finishes_the_item_in_work_and_returns_the_others():
    started, go, finished = threading.Event(), threading.Event(), []

    def process(_, item):
        started.set()
        assert go.wait(10)
        finished.append(item)

    box, worker = make(process)
    box.put('a', 1)
    assert started.wait(10)
    box.put('a', 2)
    threading.Timer(.05, go.set).start()
    assert worker.stop() == {'a': 2}
    assert finished == [1]


def test_an_action_between_frames_never_meets_a_frame():
    in_work, seen = [], []

    def process(*_):
        in_work.append(1)
        threading.Event().wait(.002)
        in_work.clear()

    box, worker = make(process)
    for index in range(20):
        box.put('a', index)
        worker.between_frames(lambda: seen.append(list(in_work)))
    worker.stop()
    assert seen == [[]] * 20
