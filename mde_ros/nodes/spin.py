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

"""Run a node as a process: signals, executor, clean end."""

from collections.abc import Callable
import signal
import sys
import threading
import traceback

import rclpy
from rclpy.exceptions import (
    InvalidHandle, InvalidParameterTypeException, InvalidParameterValueException,
    ParameterException)
from rclpy.executors import Executor, ExternalShutdownException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from mde_ros.errors import MdeError
from mde_ros.nodes.executor import PatientExecutor
from mde_ros.nodes.transport import export_large_image_profile

# Images, services and the watching timers may each be in a callback at the same time.
THREADS = 3


def explain(error: Exception) -> str:
    """Return one line on parameters that are refused at start, with what to write instead."""
    if isinstance(error, InvalidParameterTypeException):
        return (f'{error}; numbers with a fraction need a point in YAML and on the command line, '
                'as in 50.0')
    if isinstance(error, InvalidParameterValueException):
        return ' '.join(str(part) for part in error.args if part) or repr(error)
    return str(error)


def run(make_node: Callable[[], Node], arguments: list[str] | None = None) -> int:
    """
    Spin a node until SIGINT or SIGTERM.

    The end is orderly: the frame in work is finished, the node destroyed, the context shut
    down, so that no shared memory is left behind.

    :return: the exit code: 0, or 2 for parameters that are wrong.
    """
    stop = threading.Event()
    previous = {number: signal.signal(number, lambda *_: stop.set())
                for number in (signal.SIGINT, signal.SIGTERM)}
    transport = export_large_image_profile()
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = make_node()
    except (ParameterException, MdeError) as error:
        print(f'error: {explain(error)}', file=sys.stderr)
        rclpy.shutdown()
        return 2
    node.get_logger().info(transport)
    executor = PatientExecutor(THREADS)
    executor.add_node(node)
    spinner = threading.Thread(
        target=spin_until, args=(executor, stop, node.get_logger().error), name='executor')
    spinner.start()
    # Here the main thread only waits, so that Python runs the signal handler at once.
    while not stop.wait(3600):
        pass
    executor.shutdown(timeout_sec=5)
    spinner.join()
    node.destroy_node()
    rclpy.shutdown()
    for number, handler in previous.items():
        signal.signal(number, handler)
    return 0


def spin_until(executor: Executor, stop: threading.Event, log: Callable[[str], None]) -> None:
    """
    Spin until ``stop`` is set or the context is shut down.

    :param log: takes what a callback raised: a defect, after which the node goes on.
    """
    last: Exception | None = None
    while not stop.is_set():
        try:
            executor.spin()
            stop.set()
        except ExternalShutdownException:
            stop.set()
        except InvalidHandle:
            # An entity was destroyed while its event waited to be handled: nothing is lost.
            continue
        except Exception as error:  # noqa: BLE001
            # rclpy may raise the same object twice.
            if not stop.is_set() and error is not last:
                last = error
                log(f'internal error in a callback, please report it: {traceback.format_exc()}')
