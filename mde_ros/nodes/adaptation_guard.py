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

"""
The trainer's side of its process: alone on its site, and ended when its node is gone.

``python -m mde_ros.nodes.adaptation_guard LOCK PIPE GRACE TARGET ARGUMENT...`` takes the lock,
writes its process id into it, and then becomes TARGET, a module or a Python file. PIPE is a
descriptor whose other end only the node holds. The kernel closes that end however the node ends,
unlike PR_SET_PDEATHSIG, which is sent when the *thread* that started the process ends. The trainer
then gets SIGTERM, upon which it writes a checkpoint, and after GRACE seconds SIGKILL.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
import runpy
import signal
import sys
import threading
import time
from typing import Any

# Exit code when another trainer keeps the lock; sysexits.h calls it EX_TEMPFAIL.
LOCKED = 75
# Seconds to wait for a trainer that is ending.
PATIENCE = 60.0


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when it does not run."""
    try:
        # The name in parentheses may hold blanks and parentheses itself.
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except OSError:
        return None
    return None if fields[0] in ('Z', 'X') else int(fields[19])


def take_lock(path: Path, patience: float = PATIENCE) -> Any | None:
    """
    Lock a file for the life of this process and write pid and start time into it.

    :param patience: seconds to wait for whoever holds it.
    :return: the open file, to be kept; None when it stays locked.
    """
    stream = path.open('a+')
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                stream.close()
                return None
            time.sleep(.05)
    stream.truncate(0)
    stream.write(json.dumps({'pid': os.getpid(), 'started': start_time(os.getpid())}))
    stream.flush()
    return stream


def holder(path: Path) -> int | None:
    """
    Return the process that holds the lock, None when nobody does.

    :return: its id; 0 when it is locked but not yet, or no longer, by a process that can be
        named: the number in the file belongs to it only if the start time does too.
    """
    try:
        stream = path.open('a+')
    except FileNotFoundError:
        return None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            stream.seek(0)
            try:
                about = json.loads(stream.read())
                pid, started = int(about['pid']), int(about['started'])
            except (ValueError, KeyError, TypeError):
                return 0
    return pid if start_time(pid) == started else 0


def end_with(descriptor: int, grace: float) -> None:
    """Wait until the other end of a pipe is closed, then end this process and its group."""
    with contextlib.suppress(OSError):
        while os.read(descriptor, 64):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    # Its own data loaders too; never the group of somebody else.
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def main(words: list[str] | None = None) -> int:
    """Take the lock, watch the pipe, run the target in this process; return its exit code."""
    lock, pipe, grace, target, *arguments = sys.argv[1:] if words is None else words
    # Until the target has a handler of its own, SIGTERM simply ends it.
    watch = threading.Thread(target=end_with, args=(int(pipe), float(grace)), daemon=True)
    watch.start()
    held = take_lock(Path(lock))
    if held is None:
        print(f'another trainer has held {lock} for {PATIENCE:.0f} s: end it', file=sys.stderr)
        return LOCKED
    sys.argv = [target, *arguments]
    if target.endswith('.py'):
        runpy.run_path(target, run_name='__main__')
    else:
        runpy.run_module(target, run_name='__main__', alter_sys=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
