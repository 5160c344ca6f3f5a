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

"""The depth network: range of its output, canonical focal length, configuration."""

import math

from hypothesis import given, strategies as st
import pytest
import torch

from mde_ros.network.batch_norm import batch_norms, SOURCE, TARGET
from mde_ros.network.depth_network import (
    canonical_log_depth, DepthNetwork, metric_depth, NetworkConfig, NetworkError, normalise,
    SIZES)

TINY = NetworkConfig(encoder_width=.125, decoder_channels=(8, 8, 8, 8), decoder='depthwise')
METRES = st.floats(.05, 200)
FOCALS = st.floats(20, 5000)


def network(**options: object) -> DepthNetwork:
    """Return a tiny network in evaluation mode."""
    torch.manual_seed(0)
    return DepthNetwork(NetworkConfig(**{**TINY.to_dict(), **options})).eval()  # type: ignore


@pytest.mark.parametrize(('height', 'width'), [(48, 64), (33, 47), (32, 32)])
def test_output_is_half_the_input(height: int, width: int) -> None:
    with torch.no_grad():
        out = network()(torch.zeros(2, 3, height, width))
    assert out.shape == (2, 1, -(-height // 2), -(-width // 2))


def test_output_stays_in_the_range() -> None:
    made = network(min_depth=.5, max_depth=8.)
    raw = torch.tensor([-1e4, 0., math.log(3), 1e4])
    # Uniform in log: the middle of .5 and 8 is 2; sigmoid(log 3) = 3/4 gives .5 * 16^(3/4) = 4.
    assert torch.allclose(made.to_log_depth(raw).exp(), torch.tensor([.5, 2., 4., 8.]))


def test_new_network_starts_near_the_middle_of_the_range() -> None:
    with torch.no_grad():
        depth = network()(torch.rand(1, 3, 48, 64) * 2 - 1).exp()
    assert depth.min() > .3 and depth.max() < 30  # the middle is 3.16 m


def test_normalise() -> None:
    image = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert torch.allclose(normalise(image), torch.tensor([-1., -.6, 1.]))


@given(METRES, FOCALS, FOCALS)
def test_canonical_round_trip(depth: float, focal: float, canonical: float) -> None:
    there = canonical_log_depth(torch.tensor([depth]), focal, canonical)
    assert there.item() == pytest.approx(math.log(depth * canonical / focal), abs=1e-4)
    assert metric_depth(there, focal, canonical).item() == pytest.approx(depth, rel=1e-5)


@given(METRES, FOCALS, st.floats(.2, 5))
def test_the_same_picture_through_a_longer_lens_is_farther(depth: float, focal: float,
                                                           zoom: float) -> None:
    output = torch.tensor([math.log(depth)])
    once = metric_depth(output, focal, 260.)
    assert metric_depth(output, focal * zoom, 260.).item() == pytest.approx(
        once.item() * zoom, rel=1e-5)


def test_focal_lengths_may_differ_in_a_batch() -> None:
    focal = torch.tensor([130., 260., 520.]).reshape(3, 1, 1, 1)
    depth = metric_depth(torch.zeros(3, 1, 2, 2), focal, 260.)
    assert depth[:, 0, 0, 0].tolist() == [.5, 1, 2]
    assert torch.allclose(canonical_log_depth(depth, focal, 260.), torch.zeros(3, 1, 2, 2))


def test_a_network_without_a_canonical_camera_gives_metres() -> None:
    depth = metric_depth(torch.tensor([math.log(3.)]), 500., None)
    assert depth.item() == pytest.approx(3)


def test_no_reading_stays_no_reading() -> None:
    depth = torch.tensor([1., float('nan')])
    assert canonical_log_depth(depth, 260., 260.).isnan().tolist() == [False, True]


def test_domains_differ_once_their_statistics_do() -> None:
    made, image = network(), torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        assert torch.equal(made.forward_domain(image, SOURCE), made(image))
        for layer in batch_norms(made):
            layer.source_mean.fill_(.1)
        assert not torch.equal(made.forward_domain(image, SOURCE), made(image))
        assert torch.equal(made.forward_domain(image, TARGET), made(image))


def test_each_domain_has_its_own_style_encoder() -> None:
    made, image = network(), torch.rand(2, 3, 32, 48)
    with torch.no_grad():
        source, target = made.encode_style(image, SOURCE), made.encode_style(image)
    assert source.shape == target.shape == (2, 8)
    assert not torch.equal(source, target)


def test_decode_takes_the_constant_style_code_by_default() -> None:
    made = network(style_channels=2)
    with torch.no_grad():
        for name, parameter in made.decoder.named_parameters():
            if 'style' in name:
                parameter.normal_(0, .1)
        made.style_code.copy_(torch.tensor([1., -2.]))
        content = made.content_encoder(torch.rand(2, 3, 32, 32))
        constant = made.decode(content)
        assert torch.allclose(made.decode(content, made.style_code.repeat(2, 1)), constant)
        assert not torch.allclose(made.decode(content, torch.zeros(2, 2)), constant)


@pytest.mark.parametrize('options', [{'style_channels': 0}, {'style_to_depth': 'none'}])
def test_without_style_the_decoder_has_no_projections(options: dict[str, object]) -> None:
    made = network(**options)
    assert not [name for name in made.decoder.state_dict() if 'style' in name]
    assert len(made.style_encoders) == (0 if options.get('style_channels') == 0 else 2)
    with torch.no_grad():
        assert made(torch.zeros(1, 3, 32, 32)).isfinite().all()


def test_depth_is_not_rounded_to_bfloat16_in_mixed_precision() -> None:
    made, image = network(), torch.rand(1, 3, 64, 96) * 2 - 1
    with torch.no_grad():
        with torch.autocast('cpu', torch.bfloat16):
            mixed = made(image)
        assert mixed.dtype == torch.float32
        # bfloat16 has fewer than 200 values in the range that this output covers.
        assert mixed.unique().numel() > 1000
        assert (mixed - made(image)).abs().max() < .1


def test_configuration_round_trip() -> None:
    config = NetworkConfig(.5, (8, 7, 6, 5), 'depthwise', 3, 'film', 'separate', 200., .2, 50.)
    assert NetworkConfig.from_dict(config.to_dict()) == config
    assert NetworkConfig.from_dict({}) == NetworkConfig() == SIZES['base']
    assert SIZES['small'].decoder == 'depthwise'


@pytest.mark.parametrize(('field', 'value', 'words'), [
    ('decoder', 'sparse', "decoder = 'sparse': use one of dense, depthwise"),
    ('style_to_depth', 'mul', "style_to_depth = 'mul'"),
    ('affine', 'own', "affine = 'own'"),
    ('decoder_channels', (8, 8, 8), r'decoder_channels = \(8, 8, 8\): four'),
    ('decoder_channels', (8, 8, 8, 0), 'decoder_channels'),
    ('style_channels', -1, 'style_channels = -1'),
    ('style_channels', 2.5, 'style_channels = 2.5'),
    ('min_depth', 0, 'min_depth = 0'),
    ('min_depth', 100., 'min_depth = 100.0: must be below max_depth'),
    ('max_depth', math.inf, 'max_depth = inf'),
    ('canonical_focal', 0, 'canonical_focal = 0'),
    ('encoder_width', math.nan, 'encoder_width = nan')])
def test_wrong_configurations_name_the_field(field: str, value: object, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        NetworkConfig(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(('values', 'words'), [
    ({'attention': True, 'decoder': 'dense'}, 'network fields attention are unknown'),
    ({'encoder_width': 'wide'}, 'of a wrong type'),
    ({'decoder_channels': None}, 'of a wrong type'),
    ({'decoder_channels': 'abcd'}, 'of a wrong type'),
    ([], 'of a wrong type')])
def test_wrong_dictionaries_are_network_errors(values: dict[str, object], words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        NetworkConfig.from_dict(values)
