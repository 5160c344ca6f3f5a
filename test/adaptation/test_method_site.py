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

"""The default method: colours, zoomed student, anchors, statistics."""

import math

from method_harness import changed, make_batch, make_method, state, step
import pytest
import torch

from mde_ros.adaptation.methods.base import learns_on_site
from mde_ros.adaptation.methods.site import colour_transfer, Site, student_view
from mde_ros.adaptation.site_config import SiteConfig
from mde_ros.network.batch_norm import batch_norms


def make_site(**parts: object) -> Site:
    """Return the method with these parts."""
    method = make_method(Site, site=SiteConfig(**parts))  # type: ignore[arg-type]
    assert isinstance(method, Site)
    return method


def test_colours_are_those_of_the_other_picture() -> None:
    generator = torch.Generator().manual_seed(0)
    image, style = (torch.rand(2, 3, 8, 8, generator=generator) * .4 - .2 + shift
                    for shift in (.1, -.3))
    out = colour_transfer(image, style)
    torch.testing.assert_close(out.mean((2, 3)), style.mean((2, 3)))
    torch.testing.assert_close(out.std((2, 3)), style.std((2, 3)))
    # A grey picture gets the colour and is not stretched.
    grey = colour_transfer(torch.zeros(1, 3, 8, 8), style[:1])
    torch.testing.assert_close(grey, style[:1].mean((2, 3), True).expand_as(grey))


def test_the_student_sees_the_same_metres() -> None:
    torch.manual_seed(3)
    # Depth is the column: what is seen can be read from the label.
    label = torch.arange(1., 33.).log().expand(1, 1, 24, 32).clone()
    image = torch.arange(64.).expand(1, 3, 48, 64) / 32 - 1
    for _ in range(8):
        part, known = student_view(image, label, .5)
        assert part.shape == image.shape and known.shape == label.shape
        # The share that is left, from how fast the columns of the image change.
        share = float((part[0, 0, 0].diff().abs()).median() / (1 / 32))
        assert .45 <= share <= 1.05
        column = (part[0, 0, 0, ::2] + 1) * 32 / 2 + 1
        metres = known[0, 0, 0].exp() / share
        inside = slice(2, -2)
        torch.testing.assert_close(metres[inside], column[inside], rtol=.15, atol=1.)


def test_without_zoom_only_the_mirror_is_left() -> None:
    torch.manual_seed(0)
    label, image = torch.randn(1, 1, 24, 32), torch.randn(1, 3, 48, 64)
    seen = set()
    for _ in range(12):
        part, known = student_view(image, label, 1.)
        flipped = not torch.equal(part, image)
        torch.testing.assert_close(known, label.flip(-1) if flipped else label)
        seen.add(flipped)
    assert seen == {False, True}


@pytest.mark.parametrize('statistics', ['shared', 'separate', 'frozen'])
def test_a_step_learns_and_moves_only_its_statistics(statistics: str) -> None:
    method = make_site(statistics=statistics, start=0.)
    layer = batch_norms(method.network)[0]
    before = state(method.network)
    terms = step(method, make_batch(), .9)
    assert terms['consistency'] > 0 and terms['depth/absolute'] > 0
    moved = changed(method.network, before)
    assert any(name.endswith('conv.weight') for name in moved)
    statistics_moved = {name for name in moved if name.endswith(('_mean', '_var'))}
    wanted = {'shared': 'source_', 'separate': 'target_', 'frozen': 'no'}[statistics]
    assert all(wanted in name for name in statistics_moved)
    assert bool(statistics_moved) == (statistics != 'frozen')
    result = batch_norms(method.result())[0]
    domain = 'source' if statistics == 'shared' else 'target'
    average = batch_norms(method.average.module)[0]
    torch.testing.assert_close(result.statistics('target')[0], average.statistics(domain)[0])
    assert layer.momentum > 0


def test_parts_can_be_left_out() -> None:
    none = make_site(consistency=0., stylise=0.)
    assert set(none.losses(make_batch(), .9)) == {
        'depth/silog', 'depth/absolute', 'depth/gradient'}
    with_adversary = make_site(adversary=.1)
    terms = step(with_adversary, make_batch(), .9)
    assert terms['alignment'] != 0 and 0 <= terms['discriminator/accuracy'] <= 1
    late = make_site(start=1.)
    assert float(late.losses(make_batch(), .5)['consistency'].detach()) == 0


def test_stylised_labels_look_like_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    means = []
    for share in (0., 1.):
        method = make_site(stylise=share, statistics='frozen')
        seen: list[torch.Tensor] = []
        inner = method._pass
        monkeypatch.setattr(method, '_pass', lambda x, i=inner, s=seen: (s.append(x), i(x))[1])
        method.losses(make_batch(), .9)
        means.append(seen[0].mean((0, 2, 3)))
    target = (make_batch().target.float() / 127.5 - 1).mean((0, 2, 3))
    assert (means[1] - target).abs().max() < .05 < (means[0] - target).abs().max()


def test_anchors_take_the_place_of_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch()
    anchor = torch.full((2, 1, 24, 32), math.log(5.))
    anchor[1] = torch.nan
    batch = batch._replace(anchor=anchor)
    method = make_site()
    label = method._label(torch.zeros(2, 3, 48, 64), anchor)
    assert (label[0] == anchor[0]).all() and not torch.isclose(
        label[1], anchor[0]).any()
    assert not (make_site(anchors=False)._label(torch.zeros(2, 3, 48, 64), anchor)
                == anchor).any()
    # With an anchor for every image no teacher runs.
    monkeypatch.setattr('mde_ros.adaptation.methods.site.teach', None)
    assert torch.equal(method._label(torch.zeros(2, 3, 48, 64), anchor[:1]), anchor[:1])
    monkeypatch.undo()
    assert step(method, batch, .9)['consistency'] > 0


def test_precise_statistics_are_those_of_the_last_batches() -> None:
    method = make_site(statistics='separate', precise=2)
    first = batch_norms(method.average.module)[0]
    steps = method.config.steps
    seen = []
    for number in (steps - 2, steps - 1):
        batch = make_batch(seed=number)
        image = batch.target.float() / 127.5 - 1
        stem = method.average.module.content_encoder.stem
        with torch.no_grad():
            seen.append(stem.convolve(image).mean((0, 2, 3)))
        method._settle(image.contiguous(memory_format=torch.channels_last), number / steps)
    torch.testing.assert_close(first.statistics('target')[0], torch.stack(seen).mean(0),
                               rtol=1e-4, atol=1e-5)


def test_only_what_a_profile_holds_learns_on_site() -> None:
    method = make_method(Site, trainable='site')
    before = state(method.network)
    step(method, make_batch(), .9)
    moved = {name for name in changed(method.network, before)
             if not name.endswith(('_mean', '_var'))}
    parameters = dict(method.network.named_parameters())
    assert moved and all(learns_on_site(name, parameters[name]) for name in moved)
    assert any('content_encoder' in name and 'norm' in name for name in moved)
    assert 'decoder.head.weight' in moved and 'content_encoder.stem.conv.weight' not in moved
