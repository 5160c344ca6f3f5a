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

"""Qualities of service: what publishers offer, what subscriptions ask for, what fits."""

from collections.abc import Iterable
from dataclasses import dataclass

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

RELIABLE = 'reliable'
BEST_EFFORT = 'best_effort'
AUTO = 'auto'

_POLICIES = {RELIABLE: ReliabilityPolicy.RELIABLE, BEST_EFFORT: ReliabilityPolicy.BEST_EFFORT}


def profile(reliability: str, depth: int = 1) -> QoSProfile:
    """Return a volatile keep-last profile; ``reliability`` is 'reliable' or 'best_effort'."""
    return QoSProfile(
        reliability=_POLICIES[reliability], depth=depth, history=HistoryPolicy.KEEP_LAST,
        durability=DurabilityPolicy.VOLATILE)


def reliability_name(policy: ReliabilityPolicy) -> str:
    """Return 'reliable', 'best_effort' or 'unknown'."""
    return next((name for name, value in _POLICIES.items() if value == policy), 'unknown')


def choose(wanted: str, offered: Iterable[str], current: str | None = None) -> str:
    """
    Return the reliability to subscribe with.

    'reliable' and 'best_effort' are taken as they are. 'auto' takes what every publisher can
    serve: best effort if one of them offers no more, else reliable, because a best-effort
    subscription loses large images on DDS with small buffers.

    :param offered: reliabilities of the publishers that are known now.
    :param current: what 'auto' chose before; kept while there is no publisher.
    """
    if wanted != AUTO:
        return wanted
    known = list(offered)
    if BEST_EFFORT in known:
        return BEST_EFFORT
    if known:
        return RELIABLE
    return current or RELIABLE


@dataclass(frozen=True)
class QosState:
    """What a subscription asked for and what the publishers of its topic offer."""

    topic: str
    requested: str
    offered: tuple[str, ...]

    @property
    def compatible(self) -> bool:
        """Return whether every publisher can serve the subscription."""
        return self.requested != RELIABLE or BEST_EFFORT not in self.offered

    def describe(self) -> str:
        """Return one value for the diagnostics."""
        offered = ', '.join(self.offered) or 'no publisher'
        verdict = '' if not self.offered else (
            ', compatible' if self.compatible else ', INCOMPATIBLE')
        return f'requested {self.requested}, offered {offered}{verdict}'

    def advice(self) -> str:
        """Return the sentence for an incompatible subscription."""
        return (f'{self.topic} is offered best_effort and requested reliable: no frame will come;'
                " set the parameter image_reliability to 'best_effort' or 'auto'")
