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

"""Links, commands and file names in the documents lead somewhere."""

from pathlib import Path
import re

import pytest

from mde_ros.command_line.main import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted([*REPOSITORY.glob('*.md'), *(REPOSITORY / 'docs').glob('*.md')])
LINK = re.compile(r'\[[^]]*\]\(([^)\s]+)\)')
CODE = re.compile(r'```.*?```|`[^`\n]*`', re.S)


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of a page get."""
    headings = re.findall(r'^#+ (.*)$', re.sub(r'```.*?```', '', text, flags=re.S), re.M)
    return {re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-') for heading in headings}


def broken_links(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead to no file or heading of the repository."""
    broken = []
    for target in LINK.findall(CODE.sub('', text)):
        if target.startswith(('http://', 'https://', 'mailto:')):
            continue
        name, _, anchor = target.partition('#')
        path = (page.parent / name) if name else page
        if not path.exists() or (
                anchor and path.suffix == '.md' and anchor not in anchors(path.read_text())):
            broken.append(target)
    return broken


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, page.read_text()) == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    text = page.read_text()
    code = '\n'.join(CODE.findall(text))
    used = set(re.findall(r'(?:^|[\s/`])mde ([a-z]\w*)', code))
    assert used - set(COMMANDS) == set()
    targets = set(re.findall(r'^([a-z-]+):', (REPOSITORY / 'Makefile').read_text(), re.M))
    assert set(re.findall(r'(?:^|[\s`])make ([a-z][\w-]*)', code)) - targets == set()


def test_the_link_check_finds_a_dead_link(tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    text = '# A title\n[a](page.md#a-title) [b](page.md#other) [c](gone.md) [d](http://x.y)'
    page.write_text(text)
    assert broken_links(page, text) == ['page.md#other', 'gone.md']
