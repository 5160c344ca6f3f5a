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
Send many frames to a depth node in another process and watch its memory.

Images are small, so that many frames take little time; all code of the node runs. Exit code 1 if
memory grows after the first tenth of the frames.
"""

import argparse
from collections.abc import Sequence
import json
import os
from pathlib import Path
import sys
from typing import Any

# Megabytes that the allocator may still take after the first tenth.
ALLOWED_MB = 5.0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=int, default=20_000)
    parser.add_argument('--rate', type=float, default=100.)
    parser.add_argument('--size', type=int, nargs=2, default=(64, 48), metavar=('W', 'H'))
    parser.add_argument('--weights', default='shipped')
    parser.add_argument('--parameter', nargs='*', default=[], metavar='NAME:=VALUE',
                        help='parameters of the node')
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args(arguments)


def judge(found: dict[str, Any]) -> dict[str, Any]:
    """Add the growth of memory, in the mean of the last tenth against that of the second."""
    memory = found['memory_mb']
    tenth = max(1, len(memory) // 10)
    early, late = memory[tenth:2 * tenth] or memory, memory[-tenth:]
    growth = sum(late) / len(late) - sum(early) / len(early)
    return {**found, 'growth_mb': round(growth, 2), 'flat': growth <= ALLOWED_MB}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the result; return 1 if memory grew."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    options = parse(arguments)
    from mde_ros.nodes.live_rate import measure_rate, RateOptions
    parameters = dict(word.split(':=', 1) for word in options.parameter)
    found = judge(measure_rate(RateOptions(
        *options.size, rate=options.rate, frames=options.frames, cloud=True,
        parameters={'weights': options.weights, **parameters})))
    print(f"{found['processed']} of {found['sent']} frames processed by {found['device']}, "
          f"{sum(found['dropped'].values())} dropped; memory {found['memory_mb'][0]} MB at first, "
          f"{found['memory_mb'][-1]} MB at last, {found['growth_mb']:+} MB after the first tenth: "
          f"{'flat' if found['flat'] else 'GROWS'}")
    if options.json:
        options.json.write_text(json.dumps({
            'command': 'python benchmark/memory.py ' + ' '.join(arguments or sys.argv[1:]),
            **found}, indent=1) + '\n')
    return int(not found['flat'])


if __name__ == '__main__':
    sys.exit(main())
