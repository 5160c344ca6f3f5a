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

"""The folded network as an ONNX graph: uint8 pixels in, canonical metres out."""

from collections.abc import Sequence
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper, TensorProto
from torch import nn

from mde_ros.errors import MdeError
from mde_ros.network.content_encoder import InvertedResidual, TAPPED_STAGES
from mde_ros.network.convolution import ConvNormAct, same_padding
from mde_ros.network.depth_decoder import FusionBlock
from mde_ros.network.depth_network import DepthNetwork

OPSET = 17
IR_VERSION = 8  # what runtimes of three years ago read
IMAGE, DEPTH = 'image', 'depth'

# Name, height and width of features.
Features = tuple[str, int, int]


class GraphError(MdeError):
    """A network that the graph cannot express."""


class _Writer:
    """Nodes and constants of one graph."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add a constant and return its name; the same name is the same constant."""
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def scalar(self, name: str, value: float) -> str:
        """Add a float32 scalar and return its name."""
        return self.constant(name, np.array(value, np.float32))

    def node(self, kind: str, inputs: Sequence[str], output: str = '',
             **attributes: Any) -> str:
        """Add a node of one output and return the output's name."""
        name = output or f'{kind.lower()}_{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def convolution(self, x: str, conv: nn.Conv2d, pads: Sequence[int]) -> str:
        """Add a convolution with its bias; ``pads`` is top, left, bottom, right."""
        name = f'conv_{len(self.nodes)}'
        if conv.bias is None:
            raise GraphError('the network is not folded: call fold_network before the export')
        parameters = [self.constant(f'{name}_{part}', tensor.detach().cpu().float().numpy())
                      for part, tensor in (('weight', conv.weight), ('bias', conv.bias))]
        return self.node('Conv', [x, *parameters], name, pads=list(pads), group=conv.groups,
                         kernel_shape=list(conv.kernel_size), strides=list(conv.stride))


def depth_graph(network: DepthNetwork, width: int, height: int,
                batch: int = 1) -> onnx.ModelProto:
    """
    Return the network for one input size; what every back end but PyTorch's runs.

    Its input 'image' is N x H x W x 3 uint8 RGB, as images lie in memory: changing the type, the
    layout and the range is part of the graph. Its output 'depth' is N x h x w float32 canonical
    metres, as :func:`mde_ros.network.depth_network.metric_depth` gives for the canonical focal
    length.

    :param network: folded by :func:`mde_ros.network.fold.fold_network`.
    :raises GraphError: for a network that is not folded.
    """
    writer = _Writer()
    writer.scalar('zero', 0.)
    writer.scalar('six', 6.)
    x = writer.node('Transpose', [IMAGE], perm=[0, 3, 1, 2])
    x = writer.node('Cast', [x], to=TensorProto.FLOAT)
    x = writer.node('Mul', [x, writer.scalar('per_unit', 1 / 127.5)])
    x = writer.node('Sub', [x, writer.scalar('one', 1.)])
    content = _encoder(writer, network, (x, height, width))
    raw, low_height, low_width = _decoder(writer, network, content)
    config = network.config
    low, high = math.log(config.min_depth), math.log(config.max_depth)
    x = writer.node('Sigmoid', [raw])
    x = writer.node('Mul', [x, writer.scalar('log_span', high - low)])
    x = writer.node('Add', [x, writer.scalar('log_low', low)])
    x = writer.node('Exp', [x])
    writer.node('Squeeze', [x, writer.constant('channel_axis', np.array([1], np.int64))], DEPTH)
    graph = helper.make_graph(
        writer.nodes, 'depth_network',
        [helper.make_tensor_value_info(IMAGE, TensorProto.UINT8, [batch, height, width, 3])],
        [helper.make_tensor_value_info(DEPTH, TensorProto.FLOAT,
                                       [batch, low_height, low_width])],
        initializer=list(writer.constants.values()))
    model = helper.make_model(graph, producer_name='mde_ros',
                              opset_imports=[helper.make_opsetid('', OPSET)],
                              ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def head_nodes(model: onnx.ModelProto) -> list[str]:
    """
    Return the names of the nodes from the last convolution on, where depth is made.

    They stay in float32 in every precision: one step of their input is per cents of depth.
    """
    names = [node.name for node in model.graph.node]
    convolutions = [i for i, node in enumerate(model.graph.node) if node.op_type == 'Conv']
    return names[convolutions[-1]:]


def _encoder(writer: _Writer, network: DepthNetwork, image: Features) -> list[Features]:
    """Add the content encoder; return the features that the decoder takes."""
    features = _block(writer, network.content_encoder.stem, image)
    content = []
    for index, stage in enumerate(network.content_encoder.stages):
        assert isinstance(stage, nn.Sequential)
        for block in stage:
            assert isinstance(block, InvertedResidual)
            before = features
            for layer in block.layers:
                assert isinstance(layer, ConvNormAct)
                features = _block(writer, layer, features)
            if block.residual:
                features = writer.node('Add', [before[0], features[0]]), *features[1:]
        if index in TAPPED_STAGES:
            content.append(features)
    return content


def _decoder(writer: _Writer, network: DepthNetwork, content: list[Features]) -> Features:
    """Add the depth decoder; return its raw output."""
    deepest, *skips = content[::-1]
    features = _block(writer, network.decoder.bottleneck, deepest)
    for block, skip in zip(network.decoder.blocks, skips):
        assert isinstance(block, FusionBlock)
        joined = writer.node('Concat', [_upsample(writer, features, skip), skip[0]], axis=1)
        features = joined, *skip[1:]
        if block.depthwise is not None:
            features = _block(writer, block.depthwise, features)
        features = _block(writer, block.fuse, features)
    return writer.convolution(features[0], network.decoder.head, (1, 1, 1, 1)), *features[1:]


def _upsample(writer: _Writer, features: Features, skip: Features) -> str:
    """Add the repetition of every pixel, cut to the size of the skip where that is odd."""
    scales = writer.constant('twice', np.array([1, 1, 2, 2], np.float32))
    x = writer.node('Resize', [features[0], '', scales], mode='nearest', nearest_mode='floor',
                    coordinate_transformation_mode='asymmetric')
    if (2 * features[1], 2 * features[2]) == skip[1:]:
        return x
    ends = writer.constant(f'ends_{skip[1]}x{skip[2]}', np.array(skip[1:], np.int64))
    return writer.node('Slice', [
        x, writer.constant('starts', np.zeros(2, np.int64)), ends,
        writer.constant('sides', np.array([2, 3], np.int64))])


def _block(writer: _Writer, block: ConvNormAct, features: Features) -> Features:
    """Add a folded block; its padding goes into the convolution, asymmetric or not."""
    if not isinstance(block.norm, nn.Identity) or block.style is not None:
        raise GraphError('the network is not folded: call fold_network before the export')
    x, height, width = features
    top, bottom = same_padding(height, block.kernel, block.stride)
    left, right = same_padding(width, block.kernel, block.stride)
    x = writer.convolution(x, block.conv, (top, left, bottom, right))
    if block.activation == 'relu6':
        x = writer.node('Clip', [x, 'zero', 'six'])
    elif block.activation == 'relu':
        x = writer.node('Relu', [x])
    return x, -(-height // block.stride), -(-width // block.stride)


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model in float16 from the first convolution to before the head."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    half: onnx.ModelProto = convert_float_to_float16(
        model, keep_io_types=True, node_block_list=head_nodes(model))
    return half
