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

"""The report as JSON."""

import json

from mde_ros.onsite.adapt_report import AdaptReport


def test_json_names_the_machine_and_what_is_not_known() -> None:
    found = json.loads(json.dumps(AdaptReport(False, 'why').to_dict()))
    assert (found['accepted'], found['why'], found['profile'], found['check']) == (
        False, 'why', '', {})
    assert found['machine'] and 'torch' in found['versions']
