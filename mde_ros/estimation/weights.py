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

"""Weight files: safetensors beside a JSON card; nothing is ever unpickled."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from mde_ros.errors import MdeError
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig, NetworkError

FORMAT = 'mde_ros weights 1'
SHIPPED = 'shipped'
SHIPPED_FOLDER = Path(__file__).parent.parent / 'weights'
SHIPPED_NAME = 'base'


class WeightsError(MdeError):
    """A weight file that cannot be used; the message names the file and what to change."""


@dataclass(frozen=True)
class WeightCard:
    """
    What a weight file is: the JSON beside the safetensors.

    :param name: short name of the model.
    :param network: configuration that rebuilds the network.
    :param input_area: pixels of the network input that the weights were trained for.
    :param depth_range: (smallest, largest) metres that the training labels covered.
    :param data: training data, each with its licence and source.
    :param training: method, steps, seed and settings.
    :param metrics: measured results, by data set.
    :param notices: licence notices that have to travel with the weights.
    :param sha256: of the safetensors file.
    """

    name: str
    network: NetworkConfig
    input_area: int
    depth_range: tuple[float, float] = (0.1, 20.0)
    data: list[dict[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    sha256: str = ''

    @property
    def model_id(self) -> str:
        """Return name and hash, short enough for a diagnostics line."""
        return f'{self.name}-{self.sha256[:8]}'

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON holds it."""
        return {'format': FORMAT, **asdict(self), 'network': self.network.to_dict(),
                'depth_range': list(self.depth_range)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> 'WeightCard':
        """
        Read :meth:`to_dict`'s form.

        :raises WeightsError: for another format or missing fields.
        """
        if values.get('format') != FORMAT:
            raise WeightsError(f"format '{values.get('format')}' where '{FORMAT}' was expected")
        known = {f.name for f in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        try:
            low, high = kept.pop('depth_range', cls.depth_range)
            card = cls(**{**kept, 'network': NetworkConfig.from_dict(kept['network']),
                          'input_area': int(kept['input_area']),
                          'depth_range': (float(low), float(high))})
        except KeyError as error:
            raise WeightsError(f'the card field {error} is missing') from error
        except (TypeError, ValueError) as error:
            raise WeightsError(f'a card field is missing or wrong: {error}') from error
        except NetworkError as error:
            raise WeightsError(str(error)) from error
        for key, kind in (('name', str), ('sha256', str), ('data', list), ('training', dict),
                          ('metrics', dict), ('notices', list)):
            if not isinstance(getattr(card, key), kind):
                raise WeightsError(f"the card field '{key}' must be a {kind.__name__}")
        if card.input_area < 1:
            raise WeightsError(f'input_area = {card.input_area}: must be positive')
        return card


def weights_path(weights: str | Path) -> Path:
    """
    Return the safetensors file that ``weights`` names: a path or 'shipped'.

    :raises WeightsError: for an empty path.
    """
    if str(weights) == SHIPPED:
        return SHIPPED_FOLDER / f'{SHIPPED_NAME}.safetensors'
    return _as_safetensors(Path(weights))


def _as_safetensors(path: Path) -> Path:
    if not path.name:
        raise WeightsError(f"weights '{path}': give a .safetensors file, or shipped")
    if path.suffix in ('.safetensors', '.json'):
        return path.with_suffix('.safetensors')
    # Not with_suffix: the dot may be part of the name, as in 'indoor_v1.2'.
    return path.with_name(path.name + '.safetensors')


def save_weights(path: str | Path, network: DepthNetwork, card: WeightCard) -> WeightCard:
    """
    Write PATH.safetensors and PATH.json; a crash leaves the old pair or a detectable one.

    :return: the card with the hash of what was written.
    """
    path = _as_safetensors(Path(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    data = save({name: tensor.detach().cpu().contiguous()
                 for name, tensor in network.state_dict().items()})
    card = WeightCard(**{**card.__dict__, 'network': network.config,
                         'sha256': hashlib.sha256(data).hexdigest()})
    for target, content in ((path, data),
                            (path.with_suffix('.json'),
                             (json.dumps(card.to_dict(), indent=1) + '\n').encode())):
        temporary = target.with_name(target.name + '.part')
        with temporary.open('wb') as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    return card


def load_card(weights: str | Path) -> WeightCard:
    """
    Read the card of a weight file.

    :raises WeightsError: naming the file.
    """
    path = weights_path(weights).with_suffix('.json')
    try:
        values = json.loads(path.read_text())
        if not isinstance(values, dict):
            raise WeightsError(f'{path}: not a weight card')
        return WeightCard.from_dict(values)
    except FileNotFoundError as error:
        raise WeightsError(
            f'{path}: no such weight card; give a file written by mde train, or shipped'
        ) from error
    except (OSError, ValueError) as error:
        raise WeightsError(f'{path}: not a readable JSON card: {error}') from error
    except WeightsError as error:
        raise WeightsError(f'{path}: {error}') from error


def load_weights(weights: str | Path) -> tuple[DepthNetwork, WeightCard]:
    """
    Return the network, in evaluation mode on the target domain, and its card.

    :param weights: path of a .safetensors file with its .json beside it, or 'shipped'.
    :raises WeightsError: for missing, corrupt or foreign files, and for tensors that do not
        fit the card's architecture.
    """
    card = load_card(weights)
    path = weights_path(weights)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f'{path}: cannot be read: {error.strerror}') from error
    digest = hashlib.sha256(data).hexdigest()
    if card.sha256 and digest != card.sha256:
        raise WeightsError(
            f'{path}: sha256 {digest[:12]}... is not the {card.sha256[:12]}... of its card: '
            'the file is damaged or belongs to another card; copy both again')
    try:
        tensors = load(data)
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f'{path}: not a safetensors file: {error}') from error
    network = DepthNetwork(card.network)
    try:
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        reason = ' '.join(str(error).split())[:200]
        raise WeightsError(f'{path}: weights of another architecture: {reason}') from error
    if missing or unexpected:
        raise WeightsError(
            f'{path}: weights of another architecture: {len(missing)} tensors missing, '
            f'{len(unexpected)} unknown, first {[*missing, *unexpected][0]}')
    if not all(tensor.isfinite().all() for tensor in network.state_dict().values()):
        raise WeightsError(f'{path}: holds values that are not finite: the training failed; '
                           'use other weights')
    return network.eval(), card
