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

"""Camera profiles: what adapting to one camera changed, beside the weights that all share."""

import copy
from datetime import datetime, timezone
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
import torch

from mde_ros.estimation.profile_card import ProfileCard, ProfileError, SiteScale
from mde_ros.estimation.weights import WeightCard
from mde_ros.network.depth_network import DepthNetwork

__all__ = [
    'ProfileCard', 'ProfileError', 'SiteScale', 'Tensors', 'apply_profile', 'changed_tensors',
    'load_card', 'load_profile', 'profile_file', 'save_profile', 'write_atomically']

Tensors = dict[str, torch.Tensor]


def profile_file(path: str | Path) -> Path:
    """
    Return the safetensors file that ``path`` names, with or without its suffix.

    :raises ProfileError: for an empty path.
    """
    path = Path(path)
    if not path.name:
        raise ProfileError(f"profile '{path}': give a .safetensors file or a store folder")
    if path.suffix in ('.safetensors', '.json'):
        return path.with_suffix('.safetensors')
    # Not with_suffix: the dot may be part of the name, as in 'kitchen_v1.2'.
    return path.with_name(path.name + '.safetensors')


def changed_tensors(base: DepthNetwork, adapted: DepthNetwork) -> Tensors:
    """
    Return the tensors of the inference path in which ``adapted`` differs from ``base``.

    :raises ProfileError: for networks of different configurations.
    """
    if base.config != adapted.config:
        raise ProfileError('the adapted network has another configuration than its base: adapt '
                           'the base weights themselves')
    before = base.state_dict()
    return {name: value.detach().cpu().contiguous().clone()
            for name, value in adapted.state_dict().items()
            if _at_inference(name) and not torch.equal(value.cpu(), before[name].cpu())}


def save_profile(path: str | Path, base: DepthNetwork, base_card: WeightCard,
                 adapted: DepthNetwork, *, name: str, camera: str = '',
                 scale: SiteScale | None = None, intrinsics: dict[str, Any] | None = None,
                 method: str = '', created: str = '', report: dict[str, Any] | None = None,
                 notices: list[str] | None = None) -> ProfileCard:
    """
    Write PATH.safetensors and PATH.json; a crash leaves the old pair or a detectable one.

    :param created: now when empty.
    :param notices: those of the base weights when None.
    :return: the card with the hash of what was written.
    :raises ProfileError: for a base without a hash, values that are not finite, or a file that
        cannot be written.
    """
    path = profile_file(path)
    if not base_card.sha256:
        raise ProfileError(f"{path}: the base weights '{base_card.name}' have no sha256: save "
                           'them first and load them from the file')
    tensors = changed_tensors(base, adapted)
    _check_finite(path, tensors)
    values: dict[str, Any] = {
        'name': name, 'camera': camera, 'base_name': base_card.name,
        'base_sha256': base_card.sha256, 'scale': scale or SiteScale(), 'intrinsics': intrinsics,
        'method': method, 'report': report or {},
        'created': created or datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'notices': list(base_card.notices) if notices is None else notices}
    try:
        # The data holds the card too, so that its hash covers scale and base as well.
        inside = json.dumps(ProfileCard(**values).to_dict(), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ProfileError(f'{path}: report and intrinsics must be JSON: {error}') from error
    data = save(tensors, metadata={'card': inside})
    card = ProfileCard(**values, sha256=hashlib.sha256(data).hexdigest())
    write_atomically(path, data)
    write_atomically(path.with_suffix('.json'),
                     (json.dumps(card.to_dict(), indent=1) + '\n').encode())
    return card


def load_card(path: str | Path) -> ProfileCard:
    """
    Read the card of a profile.

    :raises ProfileError: naming the file.
    """
    path = profile_file(path).with_suffix('.json')
    try:
        values = json.loads(path.read_text())
        if not isinstance(values, dict):
            raise ProfileError('not a profile card')
        return ProfileCard.from_dict(values)
    except FileNotFoundError as error:
        raise ProfileError(f'{path}: no such profile card; give a profile written by mde adapt '
                           'or a store folder') from error
    except (OSError, ValueError, RecursionError) as error:
        raise ProfileError(f'{path}: not a readable JSON card: {error}') from error
    except ProfileError as error:
        raise ProfileError(f'{path}: {error}') from error


def load_profile(path: str | Path) -> tuple[Tensors, ProfileCard]:
    """
    Return the tensors and the card of a profile.

    :raises ProfileError: for missing, damaged or foreign files and values that are not finite.
    """
    card = load_card(path)
    path = profile_file(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProfileError(f'{path}: cannot be read: {error.strerror}') from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != card.sha256:
        raise ProfileError(
            f"{path}: sha256 {digest[:12]}... is not the '{card.sha256[:12]}...' of its card: the "
            'file is damaged or belongs to another card; copy both again, or adapt again')
    try:
        tensors = load(data)
    except (SafetensorError, ValueError) as error:
        raise ProfileError(f'{path}: not a safetensors file: {error}') from error
    if _card_inside(data) != {**card.to_dict(), 'sha256': ''}:
        raise ProfileError(f'{path}: its card {path.with_suffix(".json").name} was changed after '
                           'it was written: copy both again, or adapt again')
    _check_finite(path, tensors)
    return tensors, card


def apply_profile(network: DepthNetwork, card: WeightCard,
                  profile: str | Path | tuple[Tensors, ProfileCard]) -> DepthNetwork:
    """
    Return a copy of the network with the tensors of a profile.

    :param card: of the network's weights.
    :param profile: path of a profile, or what :func:`load_profile` returns.
    :raises ProfileError: for a profile of other weights, or one that does not fit.
    """
    tensors, about = profile if isinstance(profile, tuple) else load_profile(profile)
    where = (f"profile '{about.name}'" if isinstance(profile, tuple)
             else str(profile_file(profile)))
    if about.base_sha256 != card.sha256:
        raise ProfileError(
            f"{where}: made for the weights '{about.base_name}' ({about.base_sha256[:8]}), not "
            f"for '{card.name}' ({card.sha256[:8] or 'not saved'}): use those weights, or adapt "
            'again')
    adapted = copy.deepcopy(network)
    state = adapted.state_dict()
    for name, value in tensors.items():
        if (name not in state or not _at_inference(name) or state[name].shape != value.shape
                or state[name].dtype != value.dtype):
            raise ProfileError(f"{where}: tensor '{name}' ({value.dtype}, {tuple(value.shape)}) "
                               'does not belong to this network: adapt again')
    adapted.load_state_dict(tensors, strict=False)
    return adapted.eval()


def write_atomically(path: Path, data: bytes) -> None:
    """
    Write a file such that a power cut leaves the old content or the new one.

    :raises ProfileError: when it cannot be written; the old content stays.
    """
    part = path.with_name(path.name + '.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open('wb') as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(part, path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)  # the name is safe only with its folder
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ProfileError(f'{path}: cannot be written: {error.strerror}') from error


def _at_inference(name: str) -> bool:
    """Return whether a tensor of that name is used on the robot, on the target path."""
    return (not name.startswith('style_encoders.')
            and not name.rpartition('.')[2].startswith('source_'))


def _check_finite(path: Path, tensors: Tensors) -> None:
    if not all(value.isfinite().all() for value in tensors.values()):
        raise ProfileError(f'{path}: holds values that are not finite: the adaptation failed; '
                           'adapt again with a smaller learning rate')


def _card_inside(data: bytes) -> Any:
    """Return the card in the header of safetensors data, None when there is none."""
    header = json.loads(data[8:8 + int.from_bytes(data[:8], 'little')])
    try:
        return json.loads(header['__metadata__']['card'])
    except (KeyError, TypeError, ValueError):
        return None
