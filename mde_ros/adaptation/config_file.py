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

"""Settings of a training in a YAML file: the method's name and fields of TrainConfig."""

from dataclasses import fields
import os
from pathlib import Path
import sys
from typing import Any

import yaml

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.train_config import PARTS, TrainConfig
from mde_ros.network.depth_network import NetworkConfig, NetworkError, SIZES

FIELDS = {field.name: field for field in fields(TrainConfig)}
# Where config/ is: beside the package in a checkout, below share/ when it is installed.
PLACES = ('config/methods', 'share/mde_ros/config/methods')


def read_config(path: str | Path) -> dict[str, Any]:
    """
    Return what a file sets: 'method', and fields of TrainConfig as it takes them.

    :raises TrainingError: naming the file and every field that is unknown or of a wrong type.
    """
    path = Path(path)
    try:
        values = yaml.safe_load(path.read_text()) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split())
        raise TrainingError(f'{path}: not a readable YAML file: {reason}') from error
    if not isinstance(values, dict):
        raise TrainingError(f'{path}: must hold fields and values, such as steps: 8000')
    unknown = sorted(str(key) for key in values if key != 'method' and key not in FIELDS)
    if unknown:
        raise TrainingError(f"{path}: unknown fields {', '.join(unknown)}; there are: "
                            f"method, {', '.join(FIELDS)}")
    try:
        return {key: _typed(key, value) for key, value in values.items()}
    except (TypeError, ValueError, KeyError, NetworkError, TrainingError) as error:
        raise TrainingError(f'{path}: {error}') from error


def _typed(key: str, value: Any) -> Any:
    """Return a value as TrainConfig takes it."""
    if key == 'sizes':
        if not isinstance(value, list) or not all(
                isinstance(stage, list) and len(stage) == 3 for stage in value):
            raise ValueError('sizes: give a list of [share, width, height]')
        return tuple((float(s), int(w), int(h)) for s, w, h in value)
    if key == 'network':
        if isinstance(value, dict):
            return NetworkConfig.from_dict(value)
        if not isinstance(value, str) or value not in SIZES:
            raise ValueError(f"network '{value}': use one of {', '.join(SIZES)}, or its fields")
        return SIZES[value]
    if key in PARTS:
        if not isinstance(value, dict):
            raise ValueError(f'{key}: give its fields')
        return PARTS[key].from_dict(value)
    kind = str if key == 'method' else type(FIELDS[key].default)
    # YAML reads 1e-3 as text and 1 as an integer where 1.0 is meant; True is not a number.
    if kind is float and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f'{key}: {value!r} where a {kind.__name__} is needed')
    return value


def method_file(name: str) -> Path | None:
    """Return config/methods/NAME.yaml of the checkout or the installation, None without one."""
    roots = [Path(__file__).resolve().parents[2], Path(sys.prefix),
             *(Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p)]
    for root in roots:
        for place in PLACES:
            path = root / place / f'{name}.yaml'
            if path.is_file():
                return path
    return None
