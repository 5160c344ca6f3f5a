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

"""Settings in YAML files."""

from pathlib import Path
import sys

import pytest

from mde_ros.adaptation import config_file as module
from mde_ros.adaptation.config_file import method_file, read_config
from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.lfda_config import LfdaConfig
from mde_ros.adaptation.site_config import SiteConfig
from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.network.depth_network import NetworkConfig, SIZES


def test_types_are_those_of_the_fields(tmp_path: Path) -> None:
    path = tmp_path / 'a.yaml'
    path.write_text('method: lfda\nsteps: 9\nlearning_rate: 1e-3\nclip: 2\n'
                    "recognition: ''\nsizes: [[0.5, 64, 48], [0.5, 96, 96]]\nnetwork: small\n")
    values = read_config(path)
    # YAML 1.1 takes 1e-3 for text.
    assert values == {'method': 'lfda', 'steps': 9, 'learning_rate': .001, 'clip': 2.,
                      'recognition': '', 'sizes': ((.5, 64, 48), (.5, 96, 96)),
                      'network': SIZES['small']}
    assert isinstance(values['clip'], float)
    assert TrainConfig(**{k: v for k, v in values.items() if k != 'method'}).steps == 9
    path.write_text('network: {style_channels: 4}')
    assert read_config(path)['network'] == NetworkConfig(style_channels=4)
    path.write_text('site: {stylise: 1, precise: 3}\nlfda: {translated: 2}\nweather: 1\n')
    assert read_config(path) == {'site': SiteConfig(stylise=1., precise=3),
                                 'lfda': LfdaConfig(translated=2.), 'weather': 1.}
    path.write_text('# nothing\n')
    assert read_config(path) == {}


@pytest.mark.parametrize(('text', 'message'), [
    ('stepz: 1\ncolour: 2', 'unknown fields colour, stepz; there are: method, steps'),
    ('steps: many', "steps: 'many' where a int"), ('steps: true', 'steps: True'),
    ('steps: 1.5', 'steps: 1.5'), ('clip: true', 'clip: True'), ('zoom: wide', 'wide'),
    ('network: huge', "network 'huge'.*small, base"), ('network: [1]', 'network'),
    ('network: {colour: 1}', 'colour'), ('sizes: 64x48', 'sizes: give a list'),
    ('sizes: [[1, a, 48]]', 'a'), ('[1, 2]', 'must hold fields'), ('a: [', 'not a readable'),
    ('method: 3', 'method: 3'), ('site: 1', 'site: give its fields'),
    ('lfda: {stylise: 1}', 'unknown fields lfda.stylise; there are: statistics, alignment')])
def test_wrong_files_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / 'wrong.yaml'
    path.write_text(text)
    with pytest.raises(TrainingError, match='wrong.yaml') as caught:
        read_config(path)
    assert caught.match(message)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match='none.yaml: not a readable'):
        read_config(tmp_path / 'none.yaml')


def test_where_method_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = method_file('lfda')
    assert found is not None and found.parts[-3:] == ('config', 'methods', 'lfda.yaml')
    assert method_file('none') is None
    # Installed: the package is elsewhere, the files below share/.
    monkeypatch.setattr(module, '__file__', str(tmp_path / 'site' / 'mde_ros' / 'x' / 'y.py'))
    monkeypatch.setattr(sys, 'prefix', str(tmp_path / 'prefix'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path / 'ament'))
    assert method_file('lfda') is None
    for root in ('ament', 'prefix'):
        path = tmp_path / root / 'share' / 'mde_ros' / 'config' / 'methods' / 'lfda.yaml'
        path.parent.mkdir(parents=True)
        path.write_text('method: lfda')
        assert method_file('lfda') == path
