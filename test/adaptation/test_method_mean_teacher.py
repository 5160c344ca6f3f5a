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

"""The mean teacher: whom it trusts, what it asks, and what it leaves as it is."""

from method_harness import changed, make_batch, make_method, reached, state, step
import pytest
import torch
from torch import nn

from mde_ros.adaptation.methods.base import to_network
from mde_ros.adaptation.methods.mean_teacher import (
    consistency_loss, ERASED, MeanTeacher, START, strong_augmentation, teach, TRUST)
from mde_ros.network.batch_norm import SeparateBatchNorm2d, TARGET
from mde_ros.network.depth_network import DepthNetwork


class Slope(nn.Module):
    """Log depth that grows to the right, whatever is shown: it disagrees with its mirror."""

    def forward_domain(self, image: torch.Tensor, domain: str) -> torch.Tensor:
        """Return 0, .04, .08, .12 in each row."""
        assert domain == TARGET
        return (torch.arange(4) * .04).expand(len(image), 1, 2, 4)


def test_the_teacher_is_trusted_where_it_agrees_with_its_mirror() -> None:
    label = teach(Slope(), torch.zeros(1, 3, 4, 8))  # type: ignore[arg-type]
    # 0 against .12 is too much, .04 against .08 is not: their mean counts.
    assert abs(TRUST - .1) < 1e-9
    assert label.isnan().tolist() == [[[[True, False, False, True]] * 2]]
    assert label[0, 0, 0, 1:3].tolist() == pytest.approx([.06, .06])


def test_consistency_by_hand() -> None:
    label = torch.tensor([0., 1., torch.nan, torch.nan]).view(1, 1, 2, 2)
    student = torch.tensor([.5, 1., 7., torch.nan]).view(1, 1, 2, 2).requires_grad_()
    loss = consistency_loss(student, label)
    # Two pixels count; beyond beta = .02 a difference costs itself less half of beta.
    assert loss.item() == pytest.approx((.5 - .01) / 2)
    loss.backward()
    assert student.grad is not None
    assert student.grad.flatten().tolist() == pytest.approx([.5, 0, 0, 0])


def test_nothing_trusted_costs_nothing() -> None:
    student = torch.zeros(1, 1, 2, 2, requires_grad=True)
    loss = consistency_loss(student, torch.full((1, 1, 2, 2), torch.nan))
    loss.backward()
    assert loss.item() == 0 and student.grad is not None and not student.grad.any()


def test_augmentation_changes_colour_not_place() -> None:
    torch.manual_seed(0)
    image = torch.rand(4, 3, 40, 60) - .5
    before = image.clone()
    out = strong_augmentation(image)
    assert torch.equal(image, before)
    assert out.shape == image.shape and out.min() >= -1 and out.max() <= 1
    for one, other in zip(out, image):
        erased = (one == 0).all(0)
        rows, columns = erased.any(1), erased.any(0)
        assert (int(rows.sum()), int(columns.sum())) == (int(40 * ERASED), int(60 * ERASED))
        kept = ~erased
        for channel in range(3):
            pair = torch.stack((one[channel][kept], other[channel][kept]))
            assert torch.corrcoef(pair)[0, 1] > .9
    assert len({tuple((o == 0).all(0).nonzero()[0].tolist()) for o in out}) > 1


def test_the_target_joins_after_a_while() -> None:
    method, batch = make_method(MeanTeacher), make_batch()
    assert 'consistency' not in method.losses(batch, START)
    step(method, batch, 0)
    torch.manual_seed(1)
    half = method.losses(batch, START + (1 - START) / 4)['consistency']
    torch.manual_seed(1)
    full = method.losses(batch, START + (1 - START) / 2)['consistency']
    torch.manual_seed(1)
    assert torch.equal(method.losses(batch, 1)['consistency'], full)
    assert half.item() == pytest.approx(full.item() / 2, rel=1e-3)


def test_only_the_student_learns() -> None:
    method, batch = make_method(MeanTeacher), make_batch()
    step(method, batch, 0)
    terms = method.losses(batch, .9)
    assert reached(terms['consistency'], {
        **dict(method.network.named_children()), 'teacher': method.average}) == {
            'content_encoder', 'decoder'}
    before = state(method.average)
    method.losses(batch, .9)
    # Asking the teacher moves none of its statistics.
    assert not changed(method.average, before)


def test_statistics_are_those_of_clean_images(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch()
    asked, idle = make_method(MeanTeacher), make_method(MeanTeacher)
    monkeypatch.setattr('mde_ros.adaptation.methods.mean_teacher.strong_augmentation',
                        lambda image: image * 0 + 1)
    asked.losses(batch, .9)
    idle.losses(batch, 0)
    assert not changed(asked.network, state(idle.network))
    norm = next(m for m in asked.network.modules() if isinstance(m, SeparateBatchNorm2d))
    assert norm.momentum > 0


def test_learns_and_follows_its_teacher() -> None:
    method, batch = make_method(MeanTeacher, average=.8), make_batch()
    records = [step(method, batch, n / 30) for n in range(30)]
    assert records[-1]['depth/absolute'] < .5 * records[0]['depth/absolute']
    torch.manual_seed(2)
    first = method.losses(batch, 1)['consistency'].item()
    for _ in range(15):
        step(method, batch, 1)
    torch.manual_seed(2)
    assert method.losses(batch, 1)['consistency'].item() < first
    result = method.result()
    image = to_network(batch.target)
    assert isinstance(result, DepthNetwork)
    torch.testing.assert_close(
        result(image), method.average.module.eval().forward_domain(image, TARGET))


def test_mixed_precision() -> None:
    batch = make_batch()
    full, mixed = (make_method(MeanTeacher, precision=p) for p in ('32-true', 'bf16-mixed'))
    for method in (full, mixed):
        torch.manual_seed(3)
        step(method, batch, 0)
    numbers = []
    for method in (full, mixed):
        torch.manual_seed(4)
        numbers.append(step(method, batch, .9))
    for name, value in numbers[0].items():
        assert numbers[1][name] == pytest.approx(value, rel=.2, abs=.02), name
