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

"""Engine files: what is written is read, and what does not fit is refused by name."""

from dataclasses import replace
import json
from pathlib import Path

from backend_checks import SPEC
import pytest

from mde_ros.estimation.backends.base import BackendError
from mde_ros.estimation.backends.engine_file import (
    engine_path, EngineCard, load_engine, save_engine)

CARD = EngineCard('base-1', 'digest', 'onnx', 64, 48, 'int8', notices=['CC BY'],
                  calibration={'frames': 3})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    card = save_engine(tmp_path / 'site.v1.2', b'model', CARD)
    assert engine_path(tmp_path / 'site.v1.2').name == 'site.v1.2.onnx'
    assert load_engine(tmp_path / 'site.v1.2.onnx') == (b'model', card)
    assert load_engine(tmp_path / 'site.v1.2.json') == (b'model', card)
    assert replace(card, sha256='') == CARD


def test_what_is_damaged_or_foreign_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'e.onnx'
    with pytest.raises(BackendError, match=f'{path}: no such file'):
        load_engine(path)
    save_engine(path, b'model', CARD)
    path.write_bytes(b'mode')
    with pytest.raises(BackendError, match='not the file of its card'):
        load_engine(path)
    card = path.with_suffix('.json')
    values = json.loads(card.read_text())
    for broken, words in (('{', 'cannot be read'), ('[]', 'no card of the format'),
                          (json.dumps({**values, 'format': 'x'}), 'no card of the format'),
                          (json.dumps({'format': values['format']}), 'model_id')):
        card.write_text(broken)
        with pytest.raises(BackendError, match=words):
            load_engine(path)


@pytest.mark.parametrize(('digest', 'spec', 'words'), [
    ('other', SPEC, 'made from base-1, not from mine-2: run mde export again'),
    ('digest', replace(SPEC, width=80), 'made for 64x48, the camera needs 80x48: run mde export'),
    ('digest', replace(SPEC, batch=2), 'run mde export --batch 2')])
def test_an_engine_for_something_else_says_what_to_export(digest: str, spec: object,
                                                          words: str) -> None:
    CARD.need('digest', 'base-1', SPEC, 'e.onnx')
    with pytest.raises(BackendError, match=words):
        CARD.need(digest, 'mine-2', spec, 'e.onnx')  # type: ignore[arg-type]
