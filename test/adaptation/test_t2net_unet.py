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

"""T2Net's U-Net: the published size and cost, its scales, and what its output means."""

import math

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from mde_ros.adaptation.predecessors.t2net_unet import T2NetConfig, T2NetUnet
from mde_ros.network.complexity import count
from mde_ros.network.depth_network import metric_depth


def make_unet(**settings: float) -> T2NetUnet:
    torch.manual_seed(0)
    return T2NetUnet(T2NetConfig(channels=4, **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(('width', 'height', 'gmacs'), [
    (640, 192, 60.92), (320, 256, 40.62), (256, 192, 24.37)])
def test_published_size_and_cost(width: int, height: int, gmacs: float) -> None:
    # The authors' network has 54 564 676 parameters; the costs were counted on their code.
    with FakeTensorMode():
        cost = count(T2NetUnet(T2NetConfig()), width, height)
    assert cost.parameters == 54_564_676
    assert cost.gmacs == pytest.approx(gmacs, rel=1e-3)


def test_four_scales_and_the_deepest_features() -> None:
    features, outputs = make_unet().scales(torch.rand(2, 3, 96, 128) * 2 - 1)
    assert features.shape == (2, 32, 6, 8)
    assert [tuple(o.shape) for o in outputs] == [
        (2, 1, 12, 16), (2, 1, 24, 32), (2, 1, 48, 64), (2, 1, 96, 128)]
    assert all(o.abs().max() <= 1 and o.std() > 0 for o in outputs)


def test_every_parameter_serves_the_finest_output_but_nothing_is_seen_twice() -> None:
    network = make_unet()
    network.scales(torch.rand(2, 3, 96, 96))[1][-1].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    # Coarser outputs feed finer ones: the first one's kernel has a gradient from the last.
    assert network.outputs[0].conv.weight.grad.any()


def test_the_encoder_is_seen_faintly() -> None:
    network = make_unet().eval()
    image = torch.rand(1, 3, 96, 96)
    seen: list[torch.Tensor] = []
    for block in network.decoder:
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    skips: list[torch.Tensor] = []
    for stage in network.encoder:
        stage.register_forward_hook(lambda _, inputs, out: skips.append(out))
    network.scales(image)
    # Channels: from below, the encoder's of that stride, and the output from below.
    for joined, skip, weight in zip(seen, skips[2::-1], (.1, .05, .01)):
        first = joined.shape[1] // 2 if weight == .1 else (joined.shape[1] - 1) // 2
        torch.testing.assert_close(
            joined[:, first:first + skip.shape[1]], skip * weight)


def test_depth_is_linear_in_the_range() -> None:
    network = make_unet(max_depth=8., min_depth=.5).eval()
    depth = torch.tensor([0., 2., 4., 8., 20.])
    assert network.to_tanh(depth).tolist() == [-1, -.5, 0, 1, 1]
    for wanted, value in ((.5, -20.), (4., 0.), (8., 20.)):
        # tanh of a constant: nothing, half of the range, all of it.
        output = nn.Conv2d(1, 1, 1)
        with torch.no_grad():
            output.weight.zero_()
            output.bias.fill_(value)  # type: ignore[union-attr]
        network.outputs[-1].conv = nn.Sequential(nn.AvgPool3d((3, 1, 1)), output)
        log_depth = network(torch.rand(1, 3, 96, 112))
        assert log_depth.shape == (1, 1, 96, 112)
        assert log_depth.exp().mean().item() == pytest.approx(wanted, rel=1e-5)


def test_metric_whatever_the_lens_unless_asked() -> None:
    assert T2NetConfig().canonical_focal is None
    log_depth = torch.tensor([math.log(3.)])
    assert metric_depth(log_depth, 500., None).item() == pytest.approx(3)
    assert metric_depth(log_depth, 500., 250.).item() == pytest.approx(6)


def test_depth_keeps_its_precision_in_bfloat16() -> None:
    network = make_unet().eval()
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        outputs = network.scales(torch.rand(1, 3, 96, 96))[1]
    for output in outputs:
        assert output.dtype == torch.float32
        # More values than bfloat16 tells apart.
        assert not torch.equal(output.bfloat16().float(), output)


def test_small_images_are_refused_by_pytorch() -> None:
    # A reflection by 5 needs six features at stride 16: methods.t2net says so beforehand.
    with pytest.raises(RuntimeError, match=r'[Pp]adding'):
        make_unet()(torch.rand(1, 3, 80, 80))
