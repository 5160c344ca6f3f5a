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

"""An adaptation node with the stub trainer as a process, to be killed."""

from pathlib import Path
import sys

from mde_ros.nodes.adaptation_node import AdaptationNode
from mde_ros.nodes.spin import run

STUB = str(Path(__file__).resolve().parent / 'stub_trainer.py')

if __name__ == '__main__':
    sys.exit(run(lambda: AdaptationNode(command=(STUB,), grace=3., checks=lambda folder: []),
                 sys.argv))
