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

"""Spec strings: what they mean, what they refuse, and that each kind has its reader."""

from pathlib import Path

import pytest

from mde_ros.datasets import registry
from mde_ros.datasets.frame import DatasetError
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.datasets.open_dataset import open_dataset
from mde_ros.datasets.registry import KINDS, open_spec, parse_spec, reader_of


@pytest.mark.parametrize(('text', 'kind', 'path', 'split', 'options'), [
    ('nyu:/data/nyu', 'nyu', '/data/nyu', None, {}),
    ('nyu:data/nyu?split=train', 'nyu', 'data/nyu', 'train', {}),
    ('sun:SUNRGBD?sensor=kv2&nyu=no&split=test', 'sun', 'SUNRGBD', 'test',
     {'sensor': 'kv2', 'nyu': 'no'}),
    ('7scenes:/d/chess', '7scenes', '/d/chess', None, {}),
    # Not kinds: plain paths, FOLDER:SPLIT, colons within paths.
    ('/data/nyu', '', '/data/nyu', None, {}),
    ('room:adapt', '', 'room:adapt', None, {}),
    ('data/room:adapt', '', 'data/room:adapt', None, {}),
    ('/data/a:b/c', '', '/data/a:b/c', None, {}),
])
def test_parsing(text: str, kind: str, path: str, split: str | None,
                 options: dict[str, str]) -> None:
    spec = parse_spec(text)
    assert (spec.kind, spec.path, spec.split, spec.options) == (kind, Path(path), split, options)
    assert parse_spec(str(spec)) == spec


def test_what_exists_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path('nyu:room').mkdir()
    assert parse_spec('nyu:room').kind == ''
    assert parse_spec(tmp_path / 'x').path == tmp_path / 'x'
    # A question mark that belongs to the path's name.
    Path('what?').mkdir()
    assert parse_spec('nyu:what?').path == Path('what?')


@pytest.mark.parametrize(('text', 'message'), [
    ('nuy:/data/nyu', "unknown kind of data set 'nuy'; there are: nyu, nyu_raw, sun, tum"),
    ('sun:a?sensor', "'sensor': expected sun:PATH"),
    ('sun:a?sensor=', "'sensor=': expected sun:PATH"),
    ('sun:a?', "'': expected sun:PATH"),
    ('sun:a?nyu=no&nyu=no', "'nyu' is given twice"),
])
def test_mistakes_in_the_form(text: str, message: str) -> None:
    with pytest.raises(DatasetError) as error:
        parse_spec(text)
    assert message in str(error.value)


def test_unknown_keys_and_values_name_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown key 'camera'; sun has: split, sensor, nyu,"):
        open_spec(parse_spec(f'sun:{tmp_path}?camera=kv2'))
    with pytest.raises(DatasetError, match="sensor = 'kv3'; expected one of: kv1, kv2, realsen"):
        open_spec(parse_spec(f'sun:{tmp_path}?sensor=kv3'))
    with pytest.raises(DatasetError, match="the split is 'train' here and 'test'"):
        open_spec(parse_spec(f'nyu:{tmp_path}?split=train'), split='test')


@pytest.mark.parametrize('kind', list(KINDS))
def test_every_kind_has_a_reader(kind: str, tmp_path: Path) -> None:
    reader = reader_of(kind)
    assert issubclass(reader, IndexedDataset) and reader.depth_unit
    assert reader.options['partial'] == ('no', 'yes')
    # An empty folder and a missing one are errors of one line that name the path.
    for path in (tmp_path, tmp_path / 'none'):
        with pytest.raises(DatasetError) as error:
            open_dataset(f'{kind}:{path}?partial=yes')
        assert str(path) in str(error.value) and '\n' not in str(error.value)
    with pytest.raises(DatasetError, match="partial = 'some'; expected one of: no, yes"):
        open_dataset(f'{kind}:{tmp_path}?partial=some')


def test_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Fake(IndexedDataset):
        options = {'sensor': ('a', 'b')}

        def __init__(self, path: Path, **arguments: object) -> None:
            super().__init__(path)
            calls.append((path, arguments))

        read = None  # type: ignore[assignment]

    monkeypatch.setattr(registry, 'reader_of', lambda kind: Fake)
    source = open_dataset(f'nyu:{tmp_path}?sensor=b', split='test', read_depth=False, slop_ns=3)
    assert isinstance(source, Fake)
    assert calls == [(tmp_path, {'split': 'test', 'read_depth': False, 'sensor': 'b'})]
    with pytest.raises(DatasetError, match='image_topic are for folders and bags'):
        open_dataset(f'nyu:{tmp_path}', image_topic='/x')


def test_plain_paths_name_the_kinds(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='KIND:PATH with one of nyu, nyu_raw, sun'):
        open_dataset(tmp_path)
