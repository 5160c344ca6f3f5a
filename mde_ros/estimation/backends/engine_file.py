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

"""A model file of ``mde export`` and its card: an ONNX graph that both runtimes read."""

from dataclasses import asdict, dataclass, field, fields
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from mde_ros.estimation.backends.base import BackendError, EngineSpec

FORMAT = 'mde_ros engine 1'


@dataclass(frozen=True)
class EngineCard:
    """
    What an engine file is: the JSON beside the ONNX file.

    :param model_id: weights and profile that it was made from.
    :param digest: of the folded network, see
        :func:`mde_ros.estimation.backends.cache.network_digest`.
    :param backend: that it was checked and measured with.
    :param check: largest and mean relative difference to PyTorch, tolerance, on what frames.
    :param calibration: of INT8: data, frames, layers left in float, accuracy lost.
    :param latency_ms: of one run, by rank, and the machine.
    :param versions: of the libraries.
    :param notices: licence notices that travel with the weights.
    :param sha256: of the ONNX file.
    """

    model_id: str
    digest: str
    backend: str
    width: int
    height: int
    precision: str
    batch: int = 1
    check: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    latency_ms: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    sha256: str = ''

    def need(self, digest: str, model_id: str, spec: EngineSpec, where: str) -> None:
        """
        Check that the engine is for a network and an input.

        :raises BackendError: naming what it is for instead.
        """
        if self.digest != digest:
            raise BackendError(f'engine {where}: made from {self.model_id}, not from {model_id}: '
                               'run mde export again with these weights and this profile')
        if (self.width, self.height) != (spec.width, spec.height):
            raise BackendError(
                f'engine {where}: made for {self.width}x{self.height}, the camera needs '
                f'{spec.width}x{spec.height}: run mde export --size {spec.width}x{spec.height}')
        if self.batch != spec.batch:
            raise BackendError(f'engine {where}: made for {self.batch} images at once, '
                               f'{spec.batch} are needed: run mde export --batch {spec.batch}')


def engine_path(path: str | Path) -> Path:
    """Return the ONNX file that a path with or without suffix names."""
    path = Path(path)
    if path.suffix in ('.onnx', '.json'):
        return path.with_suffix('.onnx')
    return path.with_name(path.name + '.onnx')


def save_engine(path: str | Path, model: bytes, card: EngineCard) -> EngineCard:
    """Write FILE.onnx and FILE.json; return the card with the hash of what was written."""
    path = engine_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    card = EngineCard(**{**card.__dict__, 'sha256': hashlib.sha256(model).hexdigest()})
    text = json.dumps({'format': FORMAT, **asdict(card)}, indent=1) + '\n'
    for target, content in ((path, model), (path.with_suffix('.json'), text.encode())):
        temporary = target.with_name(target.name + '.part')
        with temporary.open('wb') as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    return card


def load_engine(path: str | Path) -> tuple[bytes, EngineCard]:
    """
    Read what :func:`save_engine` wrote.

    :raises BackendError: for missing, damaged or foreign files.
    """
    path = engine_path(path)
    try:
        model = path.read_bytes()
        values = json.loads(path.with_suffix('.json').read_text())
    except FileNotFoundError as error:
        raise BackendError(f'engine {error.filename}: no such file; mde export writes a .onnx '
                           'with a .json beside it') from error
    except (OSError, ValueError) as error:
        raise BackendError(f'engine {path}: cannot be read: {error}') from error
    if not isinstance(values, dict) or values.pop('format', '') != FORMAT:
        raise BackendError(f"engine {path.with_suffix('.json')}: no card of the format "
                           f"'{FORMAT}': run mde export again")
    known = {entry.name for entry in fields(EngineCard)}
    try:
        card = EngineCard(**{key: value for key, value in values.items() if key in known})
    except TypeError as error:
        raise BackendError(f"engine {path.with_suffix('.json')}: {error}") from error
    if hashlib.sha256(model).hexdigest() != card.sha256:
        raise BackendError(f'engine {path}: not the file of its card: damaged, or of another '
                           'export; copy both again')
    return model, card
