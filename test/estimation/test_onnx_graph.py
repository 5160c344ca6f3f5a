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

"""The ONNX graph: what it computes, for any size, decoder and batch."""

import numpy as np
import onnx
from onnx import numpy_helper
import onnxruntime
import pytest
import torch

from mde_ros.estimation.backends.choose import noise
from mde_ros.estimation.onnx_graph import depth_graph, GraphError, head_nodes, to_half
from mde_ros.network.batch_norm import SeparateBatchNorm2d
from mde_ros.network.depth_network import DepthNetwork, NetworkConfig, normalise
from mde_ros.network.fold import fold_network


def network(decoder: str = 'dense', style_to_depth: str = 'film') -> DepthNetwork:
    """Return a folded random network whose statistics and style are not at their start."""
    torch.manual_seed(3)
    made = DepthNetwork(NetworkConfig(.25, (8, 8, 8, 8), decoder, style_to_depth=style_to_depth))
    with torch.no_grad():
        made.style_code.normal_()
        for module in made.modules():
            if isinstance(module, SeparateBatchNorm2d):
                for name, buffer in module.named_buffers():
                    if 'mean' in name:
                        buffer.normal_(0, .3)
    folded = fold_network(made.eval())
    # Depth that varies: an output of mean 0 and deviation 1 before the sigmoid.
    image = normalise(torch.from_numpy(noise((1, 64, 64, 3))).permute(0, 3, 1, 2))
    with torch.no_grad():
        raw = torch.logit((folded(image) - np.log(.1)) / np.log(1000))
        folded.decoder.head.weight.div_(raw.std())
        folded.decoder.head.bias.sub_(raw.mean()).div_(raw.std())
    return folded


def run(model: onnx.ModelProto, images: np.ndarray) -> np.ndarray:
    """Return what ONNX Runtime says."""
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=['CPUExecutionProvider'])
    depth: np.ndarray = session.run(['depth'], {'image': images})[0]
    return depth


# 48 and 240 are no multiples of 32: the deepest features are rounded up and cut after upsampling.
@pytest.mark.parametrize(('width', 'height', 'batch'), [
    (64, 64, 1), (64, 48, 1), (112, 80, 2), (48, 240, 1), (16, 16, 3)])
@pytest.mark.parametrize('decoder', ['dense', 'depthwise'])
def test_the_graph_computes_what_the_network_computes(decoder: str, width: int, height: int,
                                                      batch: int) -> None:
    made = network(decoder)
    images = noise((batch, height, width, 3))
    with torch.no_grad():
        expected = made(normalise(torch.from_numpy(images).permute(0, 3, 1, 2))).exp()[:, 0]
    depth = run(depth_graph(made, width, height, batch), images)
    assert depth.shape == (batch, height // 2, width // 2)
    assert depth.std() / depth.mean() > .05
    assert np.allclose(depth, expected.numpy(), rtol=1e-4)


def test_depth_by_hand() -> None:
    # A head that says 0 is the middle of log 0.1 .. log 100: the root of 10.
    made = network()
    with torch.no_grad():
        made.decoder.head.weight.zero_()
        made.decoder.head.bias.zero_()
    assert np.allclose(run(depth_graph(made, 32, 32), noise((1, 32, 32, 3))), 10 ** .5)


def test_input_and_output_are_pixels_and_float32() -> None:
    graph = depth_graph(network(), 64, 48).graph
    image, = graph.input
    depth, = graph.output
    assert image.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [d.dim_value for d in image.type.tensor_type.shape.dim] == [1, 48, 64, 3]
    assert depth.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [d.dim_value for d in depth.type.tensor_type.shape.dim] == [1, 24, 32]


def test_a_network_with_its_normalisation_is_refused() -> None:
    with pytest.raises(GraphError, match='fold_network'):
        depth_graph(DepthNetwork(NetworkConfig(.25, (8, 8, 8, 8))), 64, 64)


def test_the_head_is_the_last_convolution_and_what_makes_depth_of_it() -> None:
    model = depth_graph(network(), 64, 64)
    kinds = {node.name: node.op_type for node in model.graph.node}
    assert [kinds[name] for name in head_nodes(model)] == [
        'Conv', 'Sigmoid', 'Mul', 'Add', 'Exp', 'Squeeze']


def test_half_precision_keeps_the_head_in_float32() -> None:
    model = depth_graph(network(), 64, 64)
    half = to_half(model)
    stored = {t.name: numpy_helper.to_array(t).dtype for t in half.graph.initializer}
    convolutions = [n for n in half.graph.node if n.op_type == 'Conv']
    assert [stored[n.input[1]] for n in convolutions] == [
        np.float16] * (len(convolutions) - 1) + [np.float32]
    images = noise((1, 64, 64, 3))
    assert np.allclose(run(half, images), run(model, images), rtol=2e-2)
