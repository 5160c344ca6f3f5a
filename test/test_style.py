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

"""Licence headers, file lengths, import order and test names, as CONTRIBUTING.md asks."""

import ast
from collections import Counter
from pathlib import Path
import sys

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDERS = ('mde_ros', 'test', 'launch', 'demo', 'benchmark')
SOURCES = sorted(
    [*REPOSITORY.glob('*.py'), *(path for folder in FOLDERS
                                 for path in (REPOSITORY / folder).rglob('*.py'))])
HEADER = """\
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
MOST_LINES = 350


def import_groups(source: str) -> list[list[tuple[str, int, list[str]]]]:
    """Return the imports at the top as groups between blank lines: (module, line, names)."""
    groups: list[list[tuple[str, int, list[str]]]] = []
    end = -2
    for node in ast.parse(source).body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            end = -2
            continue
        if isinstance(node, ast.Import):
            module, names = node.names[0].name, []
        else:
            module, names = node.module or '', [name.name for name in node.names]
        if node.lineno > end + 1:
            groups.append([])
        groups[-1].append((module, node.lineno, names))
        end = node.end_lineno or node.lineno
    return groups


def kind(module: str) -> int:
    """Return 0 for the standard library, 1 for other packages, 2 for this one."""
    top = module.split('.')[0]
    return 0 if top in sys.stdlib_module_names else 2 if top == 'mde_ros' else 1


def ordered(names: list[str]) -> list[str]:
    """Return names sorted without regard to case, capitals first among equals."""
    return sorted(names, key=lambda name: (name.lower(), name))


def import_faults(source: str) -> list[str]:
    """Return the departures from google's order: groups, then modules by name."""
    faults = []
    for group in import_groups(source):
        if len({kind(module) for module, _, _ in group}) > 1:
            faults.append(f'{group[0][1]}: standard library, other packages and mde_ros '
                          'stand in groups of their own')
        modules = [module.lower() for module, _, _ in group]
        if modules != sorted(modules):
            faults.append(f'{group[0][1]}: modules are sorted by name: {sorted(modules)}')
        faults += [f'{line}: names are sorted: {ordered(names)}'
                   for _, line, names in group if names != ordered(names)]
    return faults


def collect(check: object) -> list[str]:
    """Return 'path:fault' of every fault that check(source) finds in any source file."""
    return [f'{path.relative_to(REPOSITORY)}:{fault}'
            for path in SOURCES for fault in check(path.read_text())]  # type: ignore[operator]


def test_every_file_has_the_licence_header() -> None:
    assert len(SOURCES) > 20
    faults = collect(lambda source: [] if source.startswith(HEADER) else [' no licence header'])
    assert not faults, '\n'.join(faults)


def test_no_file_is_too_long() -> None:
    def check(source: str) -> list[str]:
        count = source.count('\n')
        return [f' {count} lines, at most {MOST_LINES}: split it'] if count > MOST_LINES else []

    faults = collect(check)
    assert not faults, '\n'.join(faults)


def test_imports_are_in_googles_order() -> None:
    faults = collect(import_faults)
    assert not faults, '\n'.join(faults)


def test_no_two_test_modules_share_a_name() -> None:
    # pytest imports them by their base name.
    counts = Counter(path.name for path in (REPOSITORY / 'test').rglob('test_*.py'))
    assert not [name for name, count in counts.items() if count > 1]


@pytest.mark.parametrize(('source', 'count'), [
    ('from collections import abc\nimport os\n\nimport numpy\n\nimport mde_ros\n', 0),
    ('import os\nfrom collections import abc\n', 1),
    ('import os\nimport numpy\n', 2),
    ('from numpy import b, A\n', 1),
    ('from numpy import A, a, b\n', 0),
    ('from numpy import a, A\n', 1),
])
def test_the_import_check_finds_faults(source: str, count: int) -> None:
    assert len(import_faults(source)) == count
