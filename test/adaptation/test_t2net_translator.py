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

"""T2Net's translator: its published size and cost, shapes and range."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from mde_ros.adaptation.predecessors.t2net_translator import T2NetTranslator
from mde_ros.network.complexity import count


def test_published_size_and_cost() -> None:
    with FakeTensorMode():
        cost = count(T2NetTranslator(), 640, 192)
    assert cost.parameters == 3_121_220
    assert cost.gmacs == pytest.approx(63.47, rel=1e-3)


@pytest.mark.parametrize('size', [(48, 64), (52, 36)])
def test_images_in_images_out(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    translator = T2NetTranslator(4)
    image = torch.rand(2, 3, *size) * 2 - 1
    with torch.autocast('cpu', torch.bfloat16):
        out = translator(image)
    assert out.shape == image.shape and out.dtype == torch.float32
    assert out.abs().max() <= 1 and out.std() > .01
    out.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in translator.parameters())


def test_learns_to_leave_an_image_alone() -> None:
    torch.manual_seed(0)
    translator = T2NetTranslator(8)
    image = torch.rand(2, 3, 4, 5)
    image = torch.nn.functional.interpolate(image, (32, 40), mode='bilinear') - .5
    optimiser = torch.optim.Adam(translator.parameters(), 2e-3, (.5, .9))
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.l1_loss(translator(image), image)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < .5 * losses[0]
