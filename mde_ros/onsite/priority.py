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

"""How much of the machine an adaptation may take: threads and priority."""

import os

import cv2
import torch

PRIORITIES = ('normal', 'low', 'idle')
# As far down as nice users go: a depth node at 0 gets nine parts of a contended core.
LOW_NICE, IDLE_NICE = 10, 19


def set_priority(name: str) -> str:
    """
    Lower the priority of this process and of those that it starts; it can not be raised again.

    Call it before threads are started: on Linux each one has its own.

    :param name: 'normal' changes nothing, 'low' is nice 10, 'idle' runs when nothing else
        wants to (SCHED_IDLE; nice 19 on systems without).
    :return: what was set: 'normal', 'nice 10', 'SCHED_IDLE' or 'nice 19'.
    :raises ValueError: for another name.
    """
    if name not in PRIORITIES:
        raise ValueError(f"priority '{name}': use one of {', '.join(PRIORITIES)}")
    if name == 'normal':
        return 'normal'
    if name == 'idle' and hasattr(os, 'SCHED_IDLE'):
        try:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            return 'SCHED_IDLE'
        except OSError:
            pass  # a container that forbids it
    wanted = LOW_NICE if name == 'low' else IDLE_NICE
    present = os.getpriority(os.PRIO_PROCESS, 0)
    if present < wanted:
        os.setpriority(os.PRIO_PROCESS, 0, wanted)
    return f'nice {max(present, wanted)}'


def limit_threads(count: int) -> None:
    """Let PyTorch and OpenCV compute with so many threads."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)
