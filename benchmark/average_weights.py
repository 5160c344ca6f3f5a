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
Average the weights of networks that were trained on from one another.

    .venv/bin/python benchmark/average_weights.py START.safetensors TUNED.safetensors
        --shares 1 1 --source ROOMS --name base --out base.safetensors

Training a network on, mostly on rendered rooms, moves it away from real cameras; the mean of the
weights before and after keeps what both know (model soups, arXiv 2203.05482; robust fine-tuning,
arXiv 2109.01903). All tensors are averaged. The mean of batch statistics is not that of the mean
network (as in stochastic weight averaging, arXiv 1803.05407): with --source they are measured
anew on pictures of the training data, taken as training takes them. It only makes sense for
networks with one ancestor, which the cards cannot prove: score the result.

The card names every ingredient; data and notices are those of all of them, and what else there
is, is of the last.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
import shlex
import sys

import torch

from mde_ros.adaptation.train_config import TrainConfig
from mde_ros.adaptation.training_data import collate, TrainingData
from mde_ros.command_line.arguments import whole_positive
from mde_ros.command_line.train import open_source
from mde_ros.estimation.weights import load_weights, save_weights, WeightCard
from mde_ros.network.batch_norm import copy_domain, SOURCE, TARGET
from mde_ros.network.depth_network import DepthNetwork
from mde_ros.onsite.target_statistics import precise_statistics

BATCH = 16
SIZES = ((.6, 256, 192), (.4, 320, 240))


def average(networks: Sequence[DepthNetwork], shares: Sequence[float]) -> DepthNetwork:
    """
    Return the first network with the weighted mean of all weights.

    :param shares: one positive number a network; only their ratios matter.
    :raises ValueError: for another number of shares, shares that are not positive, or networks
        of different configurations.
    """
    if len(shares) != len(networks) or not all(share > 0 for share in shares):
        raise ValueError(f'--shares {list(shares)}: give one positive number for each of the '
                         f'{len(networks)} networks')
    if any(network.config != networks[0].config for network in networks):
        raise ValueError('the networks have different configurations: give files of one size')
    states = [network.state_dict() for network in networks]
    total = sum(shares)
    mixed = {name: sum(state[name].double() * (share / total)
                       for state, share in zip(states, shares)).to(tensor.dtype)
             for name, tensor in states[0].items()}
    with torch.no_grad():
        networks[0].load_state_dict(mixed)
    return networks[0]


def with_statistics(network: DepthNetwork, sources: Sequence[str],
                    weights: Sequence[float] | None, batches: int, seed: int) -> DepthNetwork:
    """
    Return the network with batch statistics of labelled data, alike in both domains.

    :param sources: as of ``mde train --source``, drawn by ``weights``.
    :param batches: of 16 pictures, six of ten of 256x192 and the others of 320x240.
    """
    config = TrainConfig(steps=batches, batch=BATCH, sizes=SIZES, seed=seed)
    data = TrainingData([open_source(source) for source in sources], config, weights)
    pictures = [collate([data[step * BATCH + n] for n in range(BATCH)]).image
                for step in range(batches)]
    network = precise_statistics(network, pictures)
    copy_domain(network, TARGET, SOURCE)
    return network


def card_of(cards: Sequence[WeightCard], shares: Sequence[float], name: str,
            command: str) -> WeightCard:
    """Return the card of the average: ingredients by id, all data and notices once."""
    data = [entry for number, card in enumerate(cards) for entry in card.data
            if not any(entry in other.data for other in cards[:number])]
    training = {
        'what': 'mean of the weights of the ingredients', 'command': command,
        'ingredients': [{'id': card.model_id, 'share': share, 'training': card.training}
                        for card, share in zip(cards, shares)]}
    notices = list(dict.fromkeys(notice for card in cards for notice in card.notices))
    return replace(cards[-1], name=name, data=data, training=training, notices=notices,
                   metrics={})


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the average."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('weights', nargs='+', help="weight files, or 'shipped'")
    parser.add_argument('--shares', type=float, nargs='+', metavar='S',
                        help='of each file (default: equal)')
    parser.add_argument('--source', nargs='+', default=[], metavar='DATA',
                        help='labelled data on which batch statistics are measured anew')
    parser.add_argument('--source-weight', type=float, nargs='+', metavar='W',
                        help='how often each is drawn (default: by its number of frames)')
    parser.add_argument('--batches', type=whole_positive, default=40, metavar='N',
                        help='of 16 pictures for the statistics')
    parser.add_argument('--seed', type=int, default=0, help='of these pictures')
    parser.add_argument('--name', default='average', help='of the result, in its card')
    parser.add_argument('--out', type=Path, required=True, metavar='FILE')
    options = parser.parse_args(arguments)
    shares = options.shares or [1.] * len(options.weights)
    pairs = [load_weights(weights) for weights in options.weights]
    try:
        network = average([network for network, _ in pairs], shares)
    except ValueError as error:
        parser.error(str(error))
    if options.source:
        network = with_statistics(network, options.source, options.source_weight,
                                  options.batches, options.seed)
    command = shlex.join(sys.argv if arguments is None else ['average_weights.py', *arguments])
    card = save_weights(options.out, network, card_of(
        [card for _, card in pairs], shares, options.name, command))
    print(f'{options.out}: {card.model_id}')


if __name__ == '__main__':
    main()
