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

"""The style encoder sees colour, not place."""

import torch

from mde_ros.network.style_encoder import StyleEncoder


def test_one_code_an_image_at_any_size() -> None:
    encoder = StyleEncoder(5)
    for height, width in ((48, 64), (33, 47), (16, 16)):
        assert encoder(torch.zeros(2, 3, height, width)).shape == (2, 5)


def test_parameters_by_hand() -> None:
    # 3 x 3 kernels and biases 3-16-32-64-64, then 64 x 8 and 8.
    expected = (27 * 16 + 16) + (144 * 32 + 32) + (288 * 64 + 64) + (576 * 64 + 64) + 64 * 8 + 8
    assert sum(p.numel() for p in StyleEncoder().parameters()) == expected


def test_no_statistics_are_normalised_away() -> None:
    torch.manual_seed(0)
    encoder = StyleEncoder().eval()
    image = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        dark, light = encoder(image * .2), encoder(image)
    assert (dark - light).abs().max() > 1e-3
    # An image's code does not depend on its batch.
    with torch.no_grad():
        both = encoder(torch.cat((image * .2, image)))
    assert torch.allclose(both, torch.cat((dark, light)), atol=1e-6)


def test_place_matters_little() -> None:
    torch.manual_seed(0)
    encoder = StyleEncoder().eval()
    image = torch.zeros(1, 3, 128, 128)
    image[..., 40:56, 40:56] = 1
    with torch.no_grad():
        here, there = encoder(image), encoder(image.roll((32, 32), (2, 3)))
        none = encoder(torch.zeros_like(image))
    assert (here - there).abs().max() < .01 * (here - none).abs().max()
