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

"""The pretrained recognition network that judges style and content; frozen."""

import copy
import hashlib
from http.client import HTTPException
from pathlib import Path
import pickle
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
import torch
from torch import nn
from torch.nn import functional

from mde_ros.adaptation.encoder_start import start_encoder
from mde_ros.adaptation.errors import TrainingError
from mde_ros.network.batch_norm import SOURCE, use_domain
from mde_ros.network.content_encoder import ContentEncoder
from mde_ros.network.depth_network import DepthNetwork

# Outputs and 'M' for pooling: configurations D and E of Simonyan and Zisserman 2015.
VGG = {
    'vgg16': (64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512),
    'vgg19': (64, 64, 'M', 128, 128, 'M', 256, 256, 256, 256, 'M', 512, 512, 512, 512),
}
# torchvision's files; the name ends in the first digits of their SHA-256, which is checked.
URLS = {
    'vgg16': 'https://download.pytorch.org/models/vgg16-397923af.pth',
    'vgg19': 'https://download.pytorch.org/models/vgg19-dcbb9e9d.pth',
}
IMAGENET_MEAN = (.485, .456, .406)
IMAGENET_DEVIATION = (.229, .224, .225)


# What reading a file that is something else raises.
UNREADABLE = (RuntimeError, KeyError, ValueError, OSError, EOFError, AttributeError, TypeError,
              IndexError, pickle.UnpicklingError, SafetensorError)


class Recognition(nn.Module):
    """Features of images in [-1, 1] at four depths, lowest first."""

    description: str

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return four N x C x H x W feature maps."""
        raise NotImplementedError


class VggRecognition(Recognition):
    """The convolutions of VGG-16 or VGG-19, tapped before each pooling and at the end."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, name: str, state: dict[str, torch.Tensor]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.taps: list[int] = []
        inputs = 3
        for entry in VGG[name]:
            if isinstance(entry, str):
                self.taps.append(len(layers) - 1)
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(inputs, entry, 3, 1, 1), nn.ReLU()]
                inputs = entry
        self.taps.append(len(layers) - 1)
        self.layers = nn.Sequential(*layers)
        kept = {key.removeprefix('features.'): value for key, value in state.items()
                if key.startswith('features.') and int(key.split('.')[1]) < len(layers)}
        self.layers.load_state_dict(kept)
        self.register_buffer('mean', torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1))
        self.register_buffer('deviation', torch.tensor(IMAGENET_DEVIATION).view(1, 3, 1, 1))
        self.description = f'{name} of torchvision'

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the features after relu1_2, relu2_2, relu3_3 and relu4_3 (3_4, 4_4)."""
        features = (image.float() * .5 + .5 - self.mean) / self.deviation
        out = []
        for index, layer in enumerate(self.layers):
            features = layer(features)
            if index in self.taps:
                out.append(features)
        return out


class EncoderRecognition(Recognition):
    """A frozen MobileNetV2 content encoder at strides 2, 4, 8 and 16."""

    def __init__(self, encoder: ContentEncoder, description: str) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        self.description = description

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the features."""
        with use_domain(self.encoder, SOURCE):
            return self.encoder(image)[:4]

    def train(self, mode: bool = True) -> 'EncoderRecognition':
        """Stay in evaluation: a judge does not learn, nor do its statistics."""
        return super().train(False)


def make_recognition(network: DepthNetwork, weights: str | None,
                     images: torch.Tensor | None = None) -> Recognition:
    """
    Return the frozen recognition network.

    :param weights: a VGG file of torchvision (name with vgg16 or vgg19; .pth or .safetensors),
        any other file of MobileNetV2 weights, 'vgg16' or 'vgg19' to download with a checked
        hash, or None: then the frozen, source-trained content encoder of ``network`` judges.
    :param images: N x 3 x H x W in [-1, 1], needed for .npz weights.
    :raises TrainingError: naming the file.
    """
    if weights is None:
        recognition: Recognition = EncoderRecognition(
            network.content_encoder, 'the frozen source-trained content encoder '
            '(no recognition weights were given)')
    elif weights in URLS:
        recognition = _read_vgg(weights, _download(weights))
    else:
        recognition = _from_file(Path(weights), images)
    for parameter in recognition.parameters():
        parameter.requires_grad_(False)
    return recognition.eval()


def _download(name: str) -> Path:
    """Return the file of torchvision, downloaded once; also what lay there is checked."""
    url = URLS[name]
    path = Path(torch.hub.get_dir()) / 'checkpoints' / url.rsplit('/', 1)[1]
    prefix = path.stem.rsplit('-', 1)[1]
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(path), prefix, progress=False)
        digest = hashlib.sha256()
        with path.open('rb') as stream:
            while part := stream.read(1 << 20):
                digest.update(part)
    except (OSError, RuntimeError, HTTPException) as error:
        raise TrainingError(f'{url}: cannot be had: {error}; give a file to --recognition '
                            'instead, or leave it out') from error
    if not (found := digest.hexdigest()).startswith(prefix):
        raise TrainingError(f'{path}: its SHA-256 begins with {found[:8]}, not with {prefix}: '
                            'remove it to have it downloaded again')
    return path


def _read_vgg(name: str, path: Path) -> VggRecognition:
    try:
        state: dict[str, Any] = load_file(path) if path.suffix == '.safetensors' else torch.load(
            path, map_location='cpu', weights_only=True)
        return VggRecognition(name, state)
    except UNREADABLE as error:
        reason = ' '.join(str(error).split())[:160]
        raise TrainingError(f'{path}: not the {name} of torchvision: {reason}') from error


def _from_file(path: Path, images: torch.Tensor | None) -> Recognition:
    if not path.is_file():
        raise TrainingError(f'{path}: no such file; give recognition weights to --recognition')
    name = next((name for name in VGG if name in path.name.lower()), None)
    if name is not None:
        return _read_vgg(name, path)
    encoder = ContentEncoder()
    # Evaluation computes the same whatever .npz weights were measured on.
    probe = images if images is not None else torch.zeros(1, 3, 64, 64)
    start_encoder(encoder, path, probe)
    return EncoderRecognition(encoder, f'ImageNet MobileNetV2 ({path.name})')


def half_size(image: torch.Tensor) -> torch.Tensor:
    """Return images at half the resolution, as the generator paints them."""
    return functional.avg_pool2d(image.float(), 2)
