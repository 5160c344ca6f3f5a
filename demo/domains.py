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

"""A ROS domain that nobody else on this machine uses."""

import random
import socket

# Domains up to 101 keep DDS's ports below the ports that Linux hands out to others.
DOMAINS = range(1, 101)


def is_free(domain: int) -> bool:
    """Tell whether no participant of this machine listens on the domain's first unicast port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', 7400 + 250 * domain + 10))
        except OSError:
            return False
    return True


def free_domain() -> int:
    """Return a random domain without participants; chance keeps two demonstrations apart."""
    candidates = random.sample(DOMAINS, len(DOMAINS))
    return next((domain for domain in candidates if is_free(domain)), candidates[0])
