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

"""Asks the depth node to load its profile again, and waits for the answer."""

from collections.abc import Callable
import threading
import time

from rclpy.callback_groups import CallbackGroup
from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import Trigger

from mde_ros.nodes.adaptation_parameters import Settings
from mde_ros.nodes.adaptation_swap import Reply


class DepthNodeClient:
    """
    The service ``reload_model`` of the depth node that the parameters name.

    Call it from a thread that the executor can do without: the answer comes through another.

    :param stop: set when the node ends; no answer is waited for then.
    """

    def __init__(self, node: Node, settings: Callable[[], Settings], group: CallbackGroup,
                 stop: threading.Event) -> None:
        """Make no client yet."""
        self._node, self._settings, self._group, self._stop = node, settings, group, stop
        self._clients: dict[str, Client] = {}

    def __call__(self, patience: float | None = None) -> Reply:
        """Ask; wait for ``patience`` seconds, None for the parameter reload_timeout."""
        settings = self._settings()
        seconds = settings.reload_timeout if patience is None else patience
        end = time.monotonic() + seconds
        relative = f"{settings.depth_node.rstrip('/')}/reload_model"
        name = self._node.resolve_service_name(relative)
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._node.create_client(
                Trigger, relative, callback_group=self._group)
        while not client.service_is_ready():
            if self._over(end):
                return Reply(False, f'there is no service {name}: start the depth node, or set '
                             'the parameter depth_node to its name', answered=False)
            time.sleep(.05)
        future = client.call_async(Trigger.Request())
        while not future.done():
            if self._over(end):
                return Reply(False, f'{name} did not answer within {seconds:.0f} s: see the log '
                             'of the depth node, or raise the parameter reload_timeout',
                             answered=False)
            time.sleep(.01)
        answer = future.result()
        return Reply(answer.success, answer.message)

    def destroy(self) -> None:
        """Take the clients away."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            self._node.destroy_client(client)

    def _over(self, end: float) -> bool:
        return self._stop.is_set() or time.monotonic() > end
