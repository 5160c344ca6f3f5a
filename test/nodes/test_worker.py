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
import time

from mde_ros.nodes.mailbox import Mailbox
from mde_ros.nodes.worker import Worker


def make(process, failed=lambda *_: None, slots=('a', 'b'), together=lambda: False):
    """Return a mailbox and its worker; ``process`` gets one item, or all if ``together``."""
    box = Mailbox(slots)

    def one(taken):
        assert len(taken) == 1
        process(*taken[0])
    worker = Worker(box, process if together() else one, failed, together)
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


def test_all_that_wait_are_processed_together():
    seen, failures = [], []
    started, go, done = (threading.Event() for _ in range(3))

    def process(taken):
        seen.append(taken)
        started.set()
        assert go.wait(10)
        if len(taken) > 1:
            done.set()
            raise ZeroDivisionError('a defect')

    box, worker = make(process, lambda *failure: failures.append(failure), ('a', 'b', 'c'),
                       lambda: True)
    box.put('b', 1)
    assert started.wait(10)
    for slot, item in (('a', 2), ('b', 3), ('c', 4)):
        box.put(slot, item)
    go.set()
    assert done.wait(10)
    assert worker.stop() == {}
    assert seen == [[('b', 1)], [('c', 4), ('a', 2), ('b', 3)]]
    assert [(camera, item) for camera, item, _ in failures] == seen[1]


def test_whether_to_take_all_is_asked_each_time():
    sizes, together = [], [False]
    gate = threading.Semaphore(0)

    def process(taken):
        sizes.append(len(taken))
        assert gate.acquire(timeout=10)
    box = Mailbox(['a', 'b'])
    worker = Worker(box, process, lambda *_: None, lambda: together[0])
    box.put('a', 1)
    box.put('b', 2)
    worker.start()
    while box.waiting('a'):
        time.sleep(.001)
    box.put('a', 3)
    together[0] = True
    gate.release(2)
    while box.waiting('a'):
        time.sleep(.001)
    worker.stop()
    assert sizes == [1, 2]


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
