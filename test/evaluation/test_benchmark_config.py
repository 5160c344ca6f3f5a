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

"""The shipped configurations are right; wrong ones are named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mde_ros.datasets.frame import Frame
from mde_ros.datasets.indexed import IndexedDataset
from mde_ros.evaluation.benchmark_config import (
    BenchmarkConfigError, check_disjoint, read_benchmark, REQUIRED, resolve_benchmark)

FOLDER = Path(__file__).resolve().parents[2] / 'config' / 'benchmarks'
SHIPPED = sorted(FOLDER.glob('*.yaml'))
GOOD = {'name': 'mine', 'source': 'vkitti1:${V}?variant=clone',
        'target': 'kitti:${K}?split=eigen_zhou_train', 'score': 'kitti:${K}?split=eigen',
        'protocol': 'eigen-80m'}


def write(tmp_path: Path, **changes: Any) -> Path:
    """Write a good configuration with some fields changed; None leaves a field out."""
    config = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_shipped(path: Path) -> None:
    config = read_benchmark(path)
    assert config['name'] == path.stem
    # Every folder it needs is described, and nothing else.
    found = resolve_benchmark(config, {name: f'/data/{name}' for name in config['data']})
    assert set(found) == set(REQUIRED) and '$' not in ''.join(found.values())
    for name in config['data']:
        with pytest.raises(BenchmarkConfigError, match=f'{name} is not given: the folder'):
            resolve_benchmark(config, {other: '/data' for other in config['data']
                                       if other != name} | {name: ''})


def test_the_articles_three_scenarios_are_there() -> None:
    assert {path.stem for path in SHIPPED} == {
        'vkitti_to_kitti', 'vkitti_to_kitti_t2net', 'vkitti_clear_to_fog', 'nyu_to_sun_kv2',
        'nyu_to_sun_xtion', 'nyu_to_sun_realsense'}


def test_folders_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read_benchmark(write(tmp_path))
    monkeypatch.setenv('V', '/v')
    monkeypatch.setenv('K', '/environment')
    assert resolve_benchmark(config, {'K': '/given'}) == {
        'name': 'mine', 'source': 'vkitti1:/v?variant=clone',
        'target': 'kitti:/given?split=eigen_zhou_train', 'score': 'kitti:/given?split=eigen',
        'protocol': 'eigen-80m'}


@pytest.mark.parametrize(('changes', 'message'), [
    ({'score': None}, "mine.yaml: 'score': expected a text"),
    ({'target': ['a', 'b']}, "mine.yaml: 'target': expected a text"),
    ({'seeds': 3}, 'mine.yaml: unknown: seeds; there are: name, source'),
    ({'protocol': 'eigen'}, "mine.yaml: protocol 'eigen': there are: plain"),
    ({'source': 'vkiti:/data/v'}, "mine.yaml: 'source': .*unknown kind of data set 'vkiti'"),
    ({'source': 'vkitti1:/data/v?weather=fog'},
     "'source': unknown key 'weather'; vkitti1 has: split, variant, scene, sky"),
    ({'score': 'kitti:/k?split=eigen&depth=x'}, "'score': depth = 'x'; expected one of: z"),
    ({'score': 'drivingstereo:/d?split=night'}, "'score': no split 'night'"),
    ({'score': GOOD['target']}, "'score' is also trained on"),
    ({'score': GOOD['source']}, "'score' is also trained on"),
    ({'protocol': 't2net-50m'},
     "'score' has the reference 'velodyne', protocol 't2net-50m' needs 'velodyne_x'"),
    ({'protocol': 'kb-garg-80m'}, "needs 'improved'"),
    ({'source': 'nyu:/n?split=train', 'score': 'sun:/s?split=test', 'protocol': 'sun-8m'},
     "'score': add nyu=no"),
])
def test_mistakes_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BenchmarkConfigError, match=message):
        read_benchmark(write(tmp_path, **changes))


@pytest.mark.parametrize('text', ['a: [', '- 1', ''])
def test_not_a_configuration(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'b.yaml'
    path.write_text(text)
    with pytest.raises(BenchmarkConfigError, match=r'b.yaml: (not readable|expected the fields)'):
        read_benchmark(path)
    with pytest.raises(BenchmarkConfigError, match=r'gone.yaml: not readable as YAML'):
        read_benchmark(tmp_path / 'gone.yaml')


class Listed(IndexedDataset):
    """A data set of names."""

    def __init__(self, path: Path, names: list[str]) -> None:
        super().__init__(path)
        self.names = names

    def read(self, index: int) -> Frame:
        raise NotImplementedError


def test_scored_frames_are_not_adapted_to(tmp_path: Path) -> None:
    check_disjoint(Listed(tmp_path, ['a', 'b']), Listed(tmp_path, ['c']))
    check_disjoint(Listed(tmp_path, ['a', 'b']), Listed(tmp_path / 'other', ['a']))
    with pytest.raises(BenchmarkConfigError, match=r'1 of the 2 scored frames .* such as b'):
        check_disjoint(Listed(tmp_path, ['a', 'b']), Listed(tmp_path, ['b', 'c']))


def test_a_protocol_of_another_reference_is_right_with_its_key(tmp_path: Path) -> None:
    path = write(tmp_path, score='kitti:${K}?split=eigen&depth=velo_x', protocol='t2net-50m')
    assert read_benchmark(path)['protocol'] == 't2net-50m'
