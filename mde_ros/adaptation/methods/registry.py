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

"""The methods by name."""

from typing import Any

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.methods.adabn import AdaBn
from mde_ros.adaptation.methods.adversary import Adversary
from mde_ros.adaptation.methods.base import Method, SourceOnly
from mde_ros.adaptation.methods.lfda import Lfda
from mde_ros.adaptation.methods.mean_teacher import MeanTeacher
from mde_ros.adaptation.methods.site import Site
from mde_ros.adaptation.methods.t2net import T2NetOurs

# Methods whose result is a DepthNetwork, which weight files and the depth node take.
METHODS: dict[str, type[Method[Any]]] = {
    method.name: method for method in (
        SourceOnly, AdaBn, Adversary, T2NetOurs, MeanTeacher, Lfda, Site)}


def method_named(name: str) -> type[Method[Any]]:
    """
    Return a method.

    :raises TrainingError: listing the names there are.
    """
    if name not in METHODS:
        raise TrainingError(f"no method '{name}'; there are: {', '.join(METHODS)}")
    return METHODS[name]
