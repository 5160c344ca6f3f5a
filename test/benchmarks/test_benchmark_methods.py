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

"""The rows of a table and their files."""

from pathlib import Path

import pytest

from mde_ros.adaptation.config_file import method_file
from mde_ros.adaptation.methods.base import SourceOnly
from mde_ros.adaptation.methods.t2net import T2NetOurs
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.benchmarks import methods as module
from mde_ros.benchmarks.errors import BenchmarkError
from mde_ros.benchmarks.methods import contender, contenders, KINDS, PREDECESSORS


@pytest.mark.parametrize('name', sorted(KINDS))
def test_every_row_has_a_file_that_fits(name: str) -> None:
    path = method_file(name)
    assert path is not None and path.read_text().startswith('# ')
    assert contender(name).kind is KINDS[name]


FILES = sorted(path.stem for path in (
    Path(__file__).resolve().parents[2] / 'config/methods').glob('*.yaml'))


@pytest.mark.parametrize('name', FILES)
def test_every_file_is_a_row_that_changes_something(name: str) -> None:
    row = contender(name, recognition='vgg16')
    assert row.name == name
    changed = TrainConfig(**row.values)
    # But for the plain names of methods, a file that changed nothing would be a row twice.
    assert name in KINDS or changed != TrainConfig(
        **contender(row.kind.name, recognition='vgg16').values)


def test_which_rows() -> None:
    assert [one.name for one in contenders(['oracle', 'lfda'], 'quick')] == [
        'source_only', 'lfda', 'oracle']
    quick, full = ({one.name for one in contenders(None, size)} for size in ('quick', 'full'))
    assert full - quick == {'t2net'} and 't2net_focal' not in full
    assert {'source_only', 'lfda', 'oracle', *PREDECESSORS} <= full
    assert [one.name for one in contenders(None, 'full') if one.sees_labels] == ['oracle']
    assert contender('oracle').kind is SourceOnly
    assert [name for name in KINDS if contender(name).own_network] == ['t2net', 't2net_focal']
    with pytest.raises(BenchmarkError, match='no method.*source_only, adabn'):
        contenders(['dann'], 'quick')


def test_a_recognition_network_is_given_by_the_command() -> None:
    names = ['lfda_recognition', 'lfda']
    rows = contenders(names, 'quick', recognition='vgg16')
    assert [one.name for one in rows] == ['source_only', 'lfda', 'lfda_recognition']
    assert [one.values.get('recognition') for one in rows] == [None, '', 'vgg16']
    assert rows[2].kind is KINDS['lfda'] and not rows[2].own_network
    with pytest.raises(BenchmarkError, match='--recognition FILE'):
        contenders(names, 'quick')
    with pytest.raises(BenchmarkError, match='--recognition vgg.pth: no such file'):
        contenders(names, 'quick', recognition='vgg.pth')


def test_a_narrower_translation_leaves_t2net_as_published() -> None:
    narrow = contender('t2net_ours', 16).kind
    assert issubclass(narrow, T2NetOurs) and narrow.channels == 16
    assert narrow.name == 't2net_ours' and T2NetOurs.channels == 64
    assert contender('t2net', 16).kind is KINDS['t2net']
    assert contender('lfda', 16).kind is KINDS['lfda']


@pytest.mark.parametrize(('text', 'message'), [
    ('method: lfda\nsteps: 9\nseed: 1', 'steps|seed'), ('method: adabn', "method 'adabn'")])
def test_files_cannot_change_what_all_share(text: str, message: str, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / 'lfda.yaml'
    path.write_text(text)
    monkeypatch.setattr(module, 'method_file', lambda name: path)
    with pytest.raises(BenchmarkError, match=message):
        contender('lfda')
