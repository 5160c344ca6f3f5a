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

"""The multi-threaded executor of rclpy, without its busy loop."""

import time
from typing import Any
from weakref import WeakSet

from rclpy.executors import MultiThreadedExecutor
from rclpy.task import Task

# Seconds: short against a frame, long against handing a task to a thread.
PAUSE = .001


class PatientExecutor(MultiThreadedExecutor):
    """
    Run callbacks in several threads; wait while one of them waits for its thread.

    A message that no thread has taken yet ends every wait of rclpy (Jazzy 7.1, Fast DDS) at once,
    through the events of its subscription, and each time its task is handed out again. Whenever
    the threads of the pool are slow to begin, as they are beside a network or on a busy machine,
    this loop keeps the interpreter lock from them: a core is lost and images wait for seconds.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what MultiThreadedExecutor takes."""
        super().__init__(*arguments, **options)
        self._handed_out: WeakSet[Task] = WeakSet()

    def wait_for_ready_callbacks(self, *arguments: Any, **options: Any) -> Any:
        """Return the next task, entity and node; a task that was here before comes slowly."""
        found = super().wait_for_ready_callbacks(*arguments, **options)
        if found[0] in self._handed_out:
            # A coroutine that was suspended has to come again, so that it is not kept back.
            time.sleep(PAUSE)
        self._handed_out.add(found[0])
        return found
