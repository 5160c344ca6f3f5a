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

"""Settings from a file under the options that are given."""

import argparse
from collections.abc import Callable
import json
from pathlib import Path

import pytest

from mde_ros.command_line.config_option import apply_config, Given
from mde_ros.command_line.main import main
from mde_ros.network.depth_network import NetworkConfig


@pytest.fixture
def parse(tmp_path: Path) -> Callable[..., argparse.Namespace]:
    """Return a function that parses words with a.yaml: steps 7, batch 5."""
    path = tmp_path / 'a.yaml'
    path.write_text('steps: 7\nbatch: 5\n')
    parser = argparse.ArgumentParser()
    parser.add_argument('--config', type=Path)
    for name, default in (('steps', 1), ('batch', 2), ('clip', 3)):
        parser.add_argument(f'--{name}', type=int, default=default, action=Given)

    def words(*given: str) -> argparse.Namespace:
        found = parser.parse_args([word.replace('FILE', str(path)) for word in given])
        apply_config(found, found.config, ('steps', 'batch', 'clip'))
        return found
    return words


@pytest.mark.parametrize(('words', 'expected'), [
    ('', (1, 2, 3)), ('--config FILE', (7, 5, 3)), ('--config FILE --steps 9', (9, 5, 3)),
    ('--steps 9 --config FILE', (9, 5, 3)),
    # Given, though it is the default.
    ('--steps 1 --config FILE --clip 4', (1, 5, 4))])
def test_options_go_before_the_file(parse: Callable[..., argparse.Namespace], words: str,
                                    expected: tuple[int, int, int]) -> None:
    found = parse(*words.split())
    assert (found.steps, found.batch, found.clip) == expected


def test_train_with_a_file(rgbd_folder: Path, tmp_path: Path,
                           capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / 'site.yaml'
    path.write_text(
        'method: source_only\nsteps: 2\nbatch: 2\nsizes: [[1, 64, 48]]\nwarm_up: 1\n'
        'precision: 32-true\nweather: 0.5\nlfda: {alignment: 0.5}\nsite: {stylise: 0.25}\n'
        'network: {encoder_width: 0.125, decoder_channels: [8, 8, 8, 8]}\n')
    words = ['train', '--source', str(rgbd_folder), '--out', str(tmp_path / 'run'), '--workers',
             '0', '--threads', '1', '--batch', '1', '--config', str(path)]
    assert main(words) == 0
    run = json.loads((tmp_path / 'run' / 'run.json').read_text())
    assert (run['config']['steps'], run['config']['batch']) == (2, 1)
    assert run['config']['network'] == NetworkConfig(.125, (8, 8, 8, 8)).to_dict()
    assert run['config']['weather'] == run['config']['lfda']['alignment'] == .5
    assert run['config']['site']['stylise'] == .25
    path.write_text('stepz: 2')
    assert main(words) == 2
    assert 'site.yaml: unknown fields stepz' in capsys.readouterr().err
