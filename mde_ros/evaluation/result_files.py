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

"""Result files: JSON of the whole, CSV of the frames; each appears complete or not at all."""

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

from mde_ros.errors import MdeError
from mde_ros.evaluation.metrics import METRIC_NAMES
from mde_ros.evaluation.result import EvaluationResult, plain, STAGES
from mde_ros.evaluation.scaling import COLUMNS


class OutputError(MdeError):
    """A result file that cannot be written."""


def write_text(path: Path, text: str) -> None:
    """
    Write a file through a temporary neighbour, making its folder where needed.

    :raises OutputError: naming the path and the system's reason.
    """
    part = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding='utf-8')
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f'{path}: cannot be written ({error.strerror})') from error


def check_writable(path: Path) -> None:
    """
    Make the folder of a result file before hours are spent on its content.

    :raises OutputError: naming the path and the system's reason.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f'{path}: cannot be written ({error.strerror})') from error
    if path.is_dir():
        raise OutputError(f'{path}: is a folder; give a file name')
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f'{path}: its folder is not writable')


def write_json(path: Path, fields: dict[str, Any]) -> None:
    """Write the result's fields as JSON."""
    write_text(path, json.dumps(fields, indent=1, ensure_ascii=False) + '\n')


def write_csv(path: Path, result: EvaluationResult) -> None:
    """
    Write one row a frame: scores, then milliseconds by stage; frames without scores have time.

    Columns: name, stamp_ns, pixels, reference, predicted, ratio, then COLUMN_METRIC for every
    column and metric, then STAGE_ms.
    """
    scores = {frame.name: frame for frame in result.scores.frames} if result.scores else {}
    names = list(dict.fromkeys([*result.timings, *scores]))
    heading = ['name', 'stamp_ns', 'pixels', 'reference', 'predicted', 'ratio',
               *(f'{column}_{metric}' for column in COLUMNS for metric in METRIC_NAMES),
               *(f'{stage}_ms' for stage in STAGES)]
    rows: list[dict[str, Any]] = []
    for name in names:
        row: dict[str, Any] = {'name': name}
        if score := scores.get(name):
            row.update(stamp_ns=score.stamp_ns, pixels=score.pixels, reference=score.reference,
                       predicted=score.predicted, ratio=score.ratio)
            for column, metrics in score.columns.items():
                row.update({f'{column}_{metric}': value
                            for metric, value in metrics.to_dict().items()})
        row.update({f'{stage}_ms': value for stage, value in result.timings.get(name, {}).items()
                    if stage in STAGES})
        rows.append(plain(row))
    lines = io.StringIO()
    writer = csv.DictWriter(lines, heading, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, lines.getvalue())
