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

"""Benchmark configurations: which labelled source, which target, what is scored and how."""

from collections.abc import Mapping
import os
from pathlib import Path
import re
from typing import Any

import yaml

from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.registry import parse_spec, reader_of, Spec, SPLIT
from mde_ros.errors import MdeError
from mde_ros.evaluation.protocols import get_protocol, ProtocolError

# Data sets by their role; each a spec string KIND:PATH?key=value.
ROLES = ('source', 'target', 'score')
REQUIRED = ('name', *ROLES, 'protocol')
OPTIONAL = ('summary', 'data')
_VARIABLE = re.compile(r'\$\{(\w+)\}')
# What the reference of KITTI is when a spec does not say.
_KITTI_DEFAULTS = {'truth': 'velodyne', 'depth': 'z'}


class BenchmarkConfigError(MdeError):
    """A configuration that cannot be run; the message names the file and the field."""


def read_benchmark(path: str | Path) -> dict[str, Any]:
    """
    Return a configuration, checked as far as that needs no data.

    :returns: name, source, target, score (spec strings, ${NAME} for folders), protocol; where
        the file has them also summary and data, what each ${NAME} must hold.
    :raises BenchmarkConfigError: naming the file and the field.
    """
    path = Path(path)
    try:
        config = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split())
        raise BenchmarkConfigError(f'{path}: not readable as YAML: {reason}') from error
    if not isinstance(config, dict):
        raise BenchmarkConfigError(f'{path}: expected the fields {", ".join(REQUIRED)}')
    for key in REQUIRED:
        if not isinstance(config.get(key), str):
            raise BenchmarkConfigError(f"{path}: '{key}': expected a text")
    if unknown := set(config) - set(REQUIRED) - set(OPTIONAL):
        raise BenchmarkConfigError(
            f'{path}: unknown: {", ".join(sorted(map(str, unknown)))}; there are: '
            f'{", ".join((*REQUIRED, *OPTIONAL))}')
    check_benchmark(config, str(path))
    return config


def check_benchmark(config: Mapping[str, Any], where: str) -> None:
    """
    Check a configuration: kinds, keys, the protocol, and that no scored frame is trained on.

    :param where: the file, for messages.
    :raises BenchmarkConfigError: naming the field.
    """
    try:
        protocol = get_protocol(config['protocol'])
    except ProtocolError as error:
        raise BenchmarkConfigError(f'{where}: {error}') from error
    specs = {role: _check_spec(config[role], f"{where}: '{role}'") for role in ROLES}
    score = specs['score']
    if str(score) in (str(specs['target']), str(specs['source'])):
        raise BenchmarkConfigError(
            f"{where}: 'score' is also trained on: take another split, scene or set")
    kinds = {role: spec.kind for role, spec in specs.items()}
    for role in ('target', 'score'):
        if (kinds['source'].startswith('nyu') and kinds[role] == 'sun'
                and specs[role].options.get('nyu') != 'no'):
            raise BenchmarkConfigError(
                f"{where}: '{role}': add nyu=no: frames of NYU Depth v2 are a part of SUN RGB-D")
    if score.kind == 'kitti' and protocol.truth != 'depth':
        there = {**_KITTI_DEFAULTS, **score.options}
        truth = ('improved' if there['truth'] == 'improved' else
                 'velodyne_x' if there['depth'] == 'velo_x' else 'velodyne')
        if truth != protocol.truth:
            raise BenchmarkConfigError(
                f"{where}: 'score' has the reference '{truth}', protocol '{protocol.name}' "
                f"needs '{protocol.truth}'")


def resolve_benchmark(config: Mapping[str, Any],
                      paths: Mapping[str, str] | None = None) -> dict[str, str]:
    """
    Return name, source, target, score and protocol with the folders filled in.

    :param config: of :func:`read_benchmark`.
    :param paths: folder by ${NAME}; those of the environment for the rest.
    :raises BenchmarkConfigError: naming a folder that is not given, and what it must hold.
    """
    folders = {**os.environ, **(paths or {})}

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if not folders.get(name):
            holds = (config.get('data') or {}).get(name)
            raise BenchmarkConfigError(
                f"benchmark '{config['name']}': {name} is not given"
                + (f': the {holds}' if holds else '') + f'; set {name}=FOLDER')
        return folders[name]

    return {key: _VARIABLE.sub(fill, config[key]) for key in REQUIRED}


def check_disjoint(target: IndexedDataset, score: IndexedDataset) -> None:
    """
    Check that no frame that is trained on, with labels or without, is scored.

    :raises BenchmarkConfigError: naming a frame that is in both.
    """
    if type(target) is not type(score) or target.path.resolve() != score.path.resolve():
        return
    if shared := sorted(set(target.names) & set(score.names)):
        raise BenchmarkConfigError(
            f'{score.path}: {len(shared)} of the {len(score)} scored frames are trained on as '
            f'well, such as {shared[0]}: take splits or scenes that share none')


def _check_spec(text: str, where: str) -> Spec:
    """Check a spec string as opening would, without looking for its folder."""
    try:
        spec = parse_spec(text)
        if not spec.kind:
            return spec
        reader = reader_of(spec.kind)
    except DatasetError as error:
        raise BenchmarkConfigError(f'{where}: {error}') from error
    for key, value in spec.options.items():
        if key not in reader.options:
            raise BenchmarkConfigError(f"{where}: unknown key '{key}'; {spec.kind} has: "
                                       f'{", ".join((SPLIT, *reader.options))}')
        if reader.options[key] and value not in reader.options[key]:
            raise BenchmarkConfigError(f"{where}: {key} = '{value}'; expected one of: "
                                       f'{", ".join(reader.options[key])}')
    if spec.split and reader.splits and spec.split not in reader.splits:
        raise BenchmarkConfigError(f"{where}: no split '{spec.split}'; there are: "
                                   f'{", ".join(reader.splits)}')
    return spec
