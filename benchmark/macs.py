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

"""
Count parameters and multiply-accumulates of the inference paths, with two public counters.

python benchmark/macs.py --json results/macs.json
"""

import argparse
from collections.abc import Sequence
import json
import logging
from pathlib import Path
import sys
from typing import Any

import torch
from torch import nn

from mde_ros.adaptation.predecessors.t2net_translator import T2NetTranslator
from mde_ros.adaptation.predecessors.t2net_unet import T2NetConfig, T2NetUnet
from mde_ros.command_line.arguments import parse_size
from mde_ros.network.complexity import count
from mde_ros.network.depth_network import DepthNetwork, SIZES
from mde_ros.network.fold import fold_network

try:
    from fvcore.nn import FlopCountAnalysis
except ImportError:
    FlopCountAnalysis = None

# Width x height, as everywhere; papers write these 192x640 and 240x320.
DEFAULT_SIZES = ((640, 192), (320, 240))
# What runs for one image, by name, and who runs it.
PATHS = {
    'small': 'all methods on our network, size small',
    'base': 'all methods on our network, size base',
    't2net': 'T2Net (ECCV 2018) on its own U-Net; CrDoCo, DESC, 3D-PL and SemiSupMDE run the same',
    'translator + t2net': "SharinGAN (CVPR 2020): T2Net's translator before its U-Net",
}


def make_path(name: str) -> nn.Module:
    """Return the network that runs, ready for inference."""
    if name in SIZES:
        return fold_network(DepthNetwork(SIZES[name]))
    unet = T2NetUnet(T2NetConfig())
    return unet.eval() if name == 't2net' else nn.Sequential(T2NetTranslator(), unet).eval()


def count_fvcore(network: nn.Module, width: int, height: int) -> float | None:
    """Return fvcore's GMACs of convolutions and linear layers, None where it is missing."""
    if FlopCountAnalysis is None:
        return None
    for name in ('fvcore.nn.jit_analysis', 'fvcore'):
        logging.getLogger(name).setLevel(logging.ERROR)
    with torch.no_grad():
        analysis = FlopCountAnalysis(network, torch.zeros(1, 3, height, width))
        operators = analysis.by_operator()
    # One multiply-add is one of its flops.
    return float(operators['conv'] + operators['linear']) / 1e9


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--size', type=parse_size, nargs='+', default=list(DEFAULT_SIZES),
                        metavar='WxH')
    parser.add_argument('--path', nargs='+', choices=sorted(PATHS), default=list(PATHS))
    parser.add_argument('--json', type=Path, metavar='FILE')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print and write the table."""
    options = parse(arguments)
    rows: list[dict[str, Any]] = []
    print(f"{'path':20} {'input':>9} {'parameters':>12} {'GMAC':>9} {'fvcore':>9}")
    for name in options.path:
        network = make_path(name)
        for width, height in options.size:
            cost = count(network, width, height)
            other = count_fvcore(network, width, height)
            rows.append({
                'path': name, 'what': PATHS[name], 'width': width, 'height': height,
                'parameters': cost.parameters, 'gmacs': round(cost.gmacs, 4),
                'gmacs_fvcore': None if other is None else round(other, 4)})
            shown = '-' if other is None else f'{other:.3f}'
            print(f'{name:20} {f"{width}x{height}":>9} {cost.parameters:>12,} '
                  f'{cost.gmacs:>9.3f} {shown:>9}', flush=True)
    if options.json:
        command = 'python benchmark/macs.py ' + ' '.join(arguments or sys.argv[1:])
        options.json.write_text(json.dumps({
            'command': command.strip(), 'torch': torch.__version__,
            'counted': 'multiply-adds of convolutions and matrix products, one image',
            'rows': rows}, indent=1) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
