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

"""The feature adversary: mixed batches, shared statistics, content that is confused."""

from method_harness import changed, make_batch, make_method, reached, state, step
import pytest
import torch

from mde_ros.adaptation.methods.adversary import Adversary, ALIGNMENT
from mde_ros.adaptation.methods.base import to_network
from mde_ros.network.batch_norm import SOURCE, TARGET


def test_losses_fall_and_the_discriminator_learns() -> None:
    method, batch = make_method(Adversary), make_batch()
    records = [step(method, batch, n / 25) for n in range(25)]
    first, last = records[0], records[-1]
    assert last['depth/absolute'] < .4 * first['depth/absolute']
    assert last['discriminator/loss'] < first['discriminator/loss'] - .05
    assert last['discriminator/accuracy'] > .85
    assert first['alignment'] == 0 and last['alignment'] > .99 * ALIGNMENT * .693


def test_gradients_reach_what_they_should() -> None:
    method, batch = make_method(Adversary), make_batch()
    step(method, batch, 0)
    parts = {**dict(method.network.named_children()), 'discriminator': method.discriminator}
    terms = method.losses(batch, 1)
    assert reached(terms['alignment'], parts) == {'content_encoder'}
    assert reached(terms['depth/silog'], parts) == {'content_encoder', 'decoder'}


def test_the_losses_leave_the_discriminator_and_its_step_the_rest() -> None:
    method, batch = make_method(Adversary), make_batch()
    before, network = state(method.discriminator), None
    sum(method.losses(batch, 1).values()).backward()  # type: ignore[union-attr]
    assert not changed(method.discriminator, before)
    assert all(p.grad is None for p in method.discriminator.parameters())
    network = state(method.network)
    method.after_step(batch, 1)
    assert changed(method.discriminator, before) and not changed(method.network, network)


def test_both_domains_share_the_batch_s_statistics() -> None:
    method, batch = make_method(Adversary), make_batch()
    other = make_method(Adversary)
    for one, images in ((method, batch), (other, batch._replace(target=255 - batch.target))):
        step(one, images, 0)
    now, then = method.network.state_dict(), other.network.state_dict()
    source = [n for n in now if n.startswith('content_encoder') and 'source_' in n]
    assert source and not any(torch.equal(now[n], then[n]) for n in source)
    result = method.result()
    image = to_network(batch.target)
    torch.testing.assert_close(result(image), result.forward_domain(image, SOURCE))
    torch.testing.assert_close(result(image), method.average.module.eval().forward_domain(
        image, SOURCE))
    assert result.forward_domain(image, TARGET).isfinite().all()


def test_who_is_source_is_told_by_place() -> None:
    # More source than target images: the split follows the source's count.
    method, batch = make_method(Adversary), make_batch(3)
    numbers = step(method, batch._replace(target=batch.target[:1]), 0)
    assert all(torch.isfinite(torch.tensor(v)) for v in numbers.values())
    assert [tap.shape[0] for tap in method._seen] == [4, 4] and method._count == 3
    assert not any(tap.requires_grad for tap in method._seen)


def test_mixed_precision() -> None:
    batch = make_batch()
    full, mixed = (step(make_method(Adversary, precision=p), batch, .5)
                   for p in ('32-true', 'bf16-mixed'))
    for name, value in full.items():
        assert mixed[name] == pytest.approx(value, rel=.1, abs=.1), name
