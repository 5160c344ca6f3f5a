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

"""What a back end is made for, and how it says that something is not there."""

import pytest

from mde_ros.estimation.backends.base import (
    BackendError, EngineSpec, need_library, need_precision)


def test_shapes_by_hand() -> None:
    spec = EngineSpec(320, 240, batch=2)
    assert spec.input_shape == (2, 240, 320, 3)
    assert spec.output_shape == (2, 120, 160)
    assert EngineSpec(33, 17).output_shape == (1, 9, 17)


def test_a_library_that_is_not_installed_says_how_to_install_it() -> None:
    with pytest.raises(BackendError, match="backend 'onnx' needs no-such: pip install no-such"):
        need_library('onnx', 'no_such_module', 'no-such')
    assert need_library('torch', 'torch', 'torch')[0].isdigit()
    assert need_library('torch', 'torch', 'of-another-name') == 'unknown'


def test_a_precision_that_is_not_there_names_those_that_are() -> None:
    need_precision('x', 'fp32', ('fp32',))
    with pytest.raises(BackendError, match="precision 'int8': backend 'x' has fp32, bf16 here"):
        need_precision('x', 'int8', ('fp32', 'bf16'), ' here')
