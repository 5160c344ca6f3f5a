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

"""The building block: TensorFlow's SAME padding, golden convolution, style."""

from hypothesis import given, strategies as st
import pytest
import torch

from mde_ros.network.batch_norm import SOURCE, use_domain
from mde_ros.network.convolution import ConvNormAct, same_padding


@pytest.mark.parametrize(('size', 'kernel', 'stride', 'expected'), [
    # As tf.nn.conv2d documents: total = max((ceil(in / s) - 1) * s + k - in, 0), the odd one last.
    (224, 3, 2, (0, 1)), (225, 3, 2, (1, 1)), (7, 3, 2, (1, 1)), (8, 3, 2, (0, 1)),
    (5, 3, 1, (1, 1)), (1, 3, 2, (1, 1)), (1, 3, 1, (1, 1)), (10, 1, 1, (0, 0)),
    (10, 1, 2, (0, 0)), (6, 5, 1, (2, 2)), (6, 5, 2, (1, 2)), (13, 6, 5, (1, 2))])
def test_same_padding_is_tensorflows(size: int, kernel: int, stride: int,
                                     expected: tuple[int, int]) -> None:
    assert same_padding(size, kernel, stride) == expected


@given(st.integers(1, 300), st.sampled_from([1, 3, 5]), st.integers(1, 3))
def test_same_padding_gives_the_ceiling(size: int, kernel: int, stride: int) -> None:
    before, after = same_padding(size, kernel, stride)
    assert 0 <= after - before <= 1
    assert (size + before + after - kernel) // stride + 1 == -(-size // stride)


def block(**options: object) -> ConvNormAct:
    """Return a 1 -> 1 channel block in evaluation mode whose normalisation changes nothing."""
    made = ConvNormAct(1, 1, **options).eval()  # type: ignore[arg-type]
    made.norm.eps = 0
    with torch.no_grad():
        made.conv.weight.fill_(1)
    return made


def test_golden_convolution_at_stride_two() -> None:
    image = torch.arange(16.).reshape(1, 1, 4, 4)
    out = block(stride=2, activation='none')(image)
    # SAME at even size pads only below and to the right: window (0, 0) is rows 0-2, columns 0-2.
    assert out.flatten().tolist() == [45, 39, 66, 50]


def test_golden_convolution_at_odd_size() -> None:
    image = torch.arange(9.).reshape(1, 1, 3, 3)
    out = block(stride=2, activation='none')(image)
    # One pixel of padding all around: the four corners of a 3 x 3 sum.
    assert out.flatten().tolist() == [0 + 1 + 3 + 4, 1 + 2 + 4 + 5, 3 + 4 + 6 + 7, 4 + 5 + 7 + 8]


def test_padding_is_chosen_for_each_side() -> None:
    # 4 rows need (0, 1), 3 columns need (1, 1).
    image = torch.arange(12.).reshape(1, 1, 4, 3)
    out = block(stride=2, activation='none')(image)
    assert out.shape == (1, 1, 2, 2)
    assert out[0, 0, 0, 0] == 0 + 1 + 3 + 4 + 6 + 7
    assert out[0, 0, 1, 1] == 7 + 8 + 10 + 11


@pytest.mark.parametrize(('activation', 'expected'), [
    ('none', [-9., 9., 63.]), ('relu', [0., 9., 63.]), ('relu6', [0., 6., 6.])])
def test_activations(activation: str, expected: list[float]) -> None:
    made = block(activation=activation)
    for value, result in zip((-1., 1., 7.), expected):
        assert made(torch.full((1, 1, 3, 3), value))[0, 0, 1, 1] == result


def test_normalisation_of_the_present_domain_is_used() -> None:
    made = block(kernel=1, activation='none')
    made.norm.source_mean.fill_(2)
    image = torch.full((1, 1, 2, 2), 5.)
    assert made(image).unique().item() == 5
    with use_domain(made, SOURCE):
        assert made(image).unique().item() == 3


@pytest.mark.parametrize('mode', ['add', 'film'])
def test_untrained_style_changes_nothing(mode: str) -> None:
    torch.manual_seed(0)
    made = ConvNormAct(2, 3, style_channels=4, style_mode=mode).eval()
    image = torch.randn(2, 2, 5, 6)
    assert torch.equal(made(image, torch.randn(2, 4)), made(image))


def test_style_by_hand() -> None:
    image = torch.full((2, 1, 1, 1), 3.)
    codes = torch.tensor([[1., 0.], [0., 10.]])
    for mode, expected in (('add', [3 + .5, 3 + 20]), ('film', [3 * 1.5 + 1, 3 * 21 + 40])):
        made = block(kernel=1, activation='none', style_channels=2, style_mode=mode)
        assert made.style is not None
        with torch.no_grad():
            # gamma (or the addition) = (0.5, 2) . code, beta = (1, 4) . code
            made.style.weight.copy_(torch.tensor([[.5, 2.], [1., 4.]])[:made.style.out_features])
        assert made(image, codes).flatten().tolist() == expected


def test_style_enters_before_the_activation() -> None:
    made = block(kernel=1, style_channels=1, style_mode='add')
    assert made.style is not None
    with torch.no_grad():
        made.style.weight.fill_(-4)
    assert made(torch.full((1, 1, 1, 1), 3.), torch.ones(1, 1)).item() == 0


def test_a_block_without_style_ignores_the_code() -> None:
    for made in (ConvNormAct(1, 1), ConvNormAct(1, 1, style_channels=0, style_mode='add')):
        assert made.style is None and made.style_mode == 'none'
        image = torch.randn(1, 1, 4, 4)
        made.eval()
        assert torch.equal(made(image, torch.ones(1, 8)), made(image))


def test_strided_depthwise_convolutions_are_float32_under_bfloat16() -> None:
    torch.manual_seed(0)
    made = ConvNormAct(8, 8, stride=2, groups=8).eval()
    features = torch.randn(2, 8, 9, 12).bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        trained = made.convolve(features)
        with torch.no_grad():
            run = made.convolve(features)
    assert trained.dtype == run.dtype == torch.bfloat16
    with torch.no_grad():
        exact = made.convolve(features.float())
    # Rounded once, at the end; the weights keep all their bits.
    torch.testing.assert_close(trained.float(), exact.bfloat16().float(), rtol=0, atol=0)
    assert (run.float() - exact).abs().max() > (trained.float() - exact).abs().max()
