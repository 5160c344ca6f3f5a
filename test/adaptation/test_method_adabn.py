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

"""AdaBN: the source's weights, the target's statistics."""

from method_harness import changed, make_batch, make_method, reached, state, step, TINY
import pytest
import torch

from mde_ros.adaptation.methods.adabn import AdaBn
from mde_ros.adaptation.methods.base import SourceOnly, to_network
from mde_ros.network.batch_norm import SOURCE, TARGET
from mde_ros.network.depth_network import NetworkConfig


@pytest.mark.parametrize('affine', ['shared', 'separate'])
@pytest.mark.parametrize('precision', ['32-true', 'bf16-mixed'])
def test_learns_what_source_only_learns(affine: str, precision: str) -> None:
    config = NetworkConfig(encoder_width=.125, decoder_channels=TINY.decoder_channels,
                           affine=affine)
    batch = make_batch()
    ours, control = (make_method(kind, network=config, precision=precision)
                     for kind in (AdaBn, SourceOnly))
    for n in range(3):
        assert step(ours, batch, n / 3) == step(control, batch, n / 3)
    differ = changed(ours.network, state(control.network))
    assert differ and all('target_' in name for name in differ)


def test_only_statistics_know_the_target() -> None:
    batch = make_batch()
    ours, other = make_method(AdaBn), make_method(AdaBn)
    step(ours, batch, 0)
    step(other, batch._replace(target=255 - batch.target), 0)
    differ = changed(ours.network, state(other.network))
    assert differ and all(
        name.endswith(('target_mean', 'target_var')) for name in differ)
    terms = ours.losses(batch, .5)
    assert reached(terms['depth/absolute'], dict(ours.network.named_children())) == {
        'content_encoder', 'decoder'}


@pytest.mark.parametrize('affine', ['shared', 'separate'])
def test_the_result_works_on_the_target_s_statistics(affine: str) -> None:
    config = NetworkConfig(encoder_width=.125, decoder_channels=TINY.decoder_channels,
                           affine=affine)
    method, batch = make_method(AdaBn, network=config), make_batch()
    for n in range(20):
        step(method, batch, n / 20)
    result, average = method.result(), method.average.module.eval()
    image = to_network(batch.target)
    torch.testing.assert_close(result(image), average.forward_domain(image, TARGET))
    assert (result(image) - result.forward_domain(image, SOURCE)).abs().max() > 1e-3
    # With the source's images as target, both paths would be one.
    same = make_method(AdaBn, network=config)
    for n in range(20):
        step(same, batch._replace(target=batch.image), n / 20)
    result = same.result()
    torch.testing.assert_close(result.forward_domain(image, TARGET),
                               result.forward_domain(image, SOURCE), atol=1e-3, rtol=1e-3)
