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

"""Thresholds on a result, as given with ``--require 'median_scaled.abs_rel<0.325'``."""

from collections.abc import Mapping
from dataclasses import dataclass
import operator
import re
from typing import Any

from mde_ros.errors import MdeError

_OPERATORS = {'<=': operator.le, '>=': operator.ge, '<': operator.lt, '>': operator.gt}
_PATTERN = re.compile(r'\s*([\w.]+)\s*(<=|>=|<|>)\s*([^\s<>=]+)\s*')


class RequirementError(MdeError):
    """A requirement that cannot be read, or that names nothing of the result."""


@dataclass(frozen=True)
class Verdict:
    """A requirement, whether it holds, and the line that says so."""

    text: str
    holds: bool
    line: str


@dataclass(frozen=True)
class Requirement:
    """
    One threshold: a field of the JSON on the left, a number or another field on the right.

    :param field: path such as ``median_scaled.abs_rel`` or ``latency_ms.total.p95``.
    :param limit: a number, or a path such as ``floors.constant.median_scaled.abs_rel``.
    """

    text: str
    field: str
    comparison: str
    limit: str

    @classmethod
    def parse(cls, text: str) -> 'Requirement':
        """
        Read 'FIELD<NUMBER', with <, <=, > or >=.

        :raises RequirementError: naming the text and the form expected.
        """
        match = _PATTERN.fullmatch(text)
        if not match:
            raise RequirementError(
                f"--require '{text}': write FIELD<NUMBER (or <=, >, >=), "
                "such as 'median_scaled.abs_rel<0.3'")
        return cls(text, *match.groups())

    def judge(self, result: Mapping[str, Any]) -> Verdict:
        """
        Compare with a result as :meth:`EvaluationResult.to_dict` gives it.

        A value that is missing there (null) fails: what was not measured is not met.

        :raises RequirementError: when a path names no number of the result.
        """
        left = self._look_up(result, self.field)
        try:
            right: float | None = float(self.limit)
            shown = self.limit
        except ValueError:
            right = self._look_up(result, self.limit)
            shown = f'{self.limit} = {_number(right)}'
        holds = (left is not None and right is not None
                 and bool(_OPERATORS[self.comparison](left, right)))
        return Verdict(self.text, holds, f'{self.field} = {_number(left)}, required '
                                         f'{self.comparison} {shown}')

    def _look_up(self, result: Mapping[str, Any], path: str) -> float | None:
        value: Any = result
        for depth, key in enumerate(path.split('.')):
            if value is None and depth:
                return None
            if not isinstance(value, Mapping) or key not in value:
                there = ', '.join(value) if isinstance(value, Mapping) else 'a number'
                before = '.'.join(path.split('.')[:depth]) or 'the result'
                raise RequirementError(
                    f"--require '{self.text}': no '{key}' in {before}; there is: {there}")
            value = value[key]
        if value is not None and (isinstance(value, bool)
                                  or not isinstance(value, (int, float))):
            inside = f'; choose one of: {", ".join(value)}' if isinstance(value, Mapping) else ''
            raise RequirementError(f"--require '{self.text}': {path} is no number{inside}")
        return value


def _number(value: float | None) -> str:
    return 'not measured' if value is None else f'{value:.4g}'
