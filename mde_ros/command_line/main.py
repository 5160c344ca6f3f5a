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

"""The ``mde`` command: one module a subcommand, imported only when it is called."""

import argparse
from collections.abc import Sequence
from importlib import import_module
import sys

from mde_ros import __version__
from mde_ros.errors import MdeError

# name: (module in this package, one-line help). The module has add_arguments(parser) and
# run(arguments) -> exit code.
COMMANDS = {
    'info': ('info', 'print what a weight file or a data set holds'),
    'simulate': ('simulate', 'render labelled rooms into an RGB-D folder or a bag'),
    'convert': ('convert', 'convert between RGB-D folders and bags'),
    'play': ('play', 'publish a bag or a folder as camera topics'),
    'record': ('record', 'choose and record frames of a new camera to adapt to'),
    'train': ('train', 'train a depth network on labelled data'),
    'adapt': ('adapt', 'adapt to a new camera from a recording of it, without labels'),
    'compare': ('compare', 'compare two networks or camera profiles on the same frames'),
    'evaluate': ('evaluate', 'measure depth on a folder, a bag or a running node'),
    'export': ('export', 'make an engine for ONNX Runtime or OpenVINO, INT8 included'),
    'benchmark': ('benchmark', 'train and score all methods on one scenario'),
}


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; only the arguments of ``command`` are filled in."""
    parser = argparse.ArgumentParser(
        prog='mde', description='Metric depth from one camera, adapted on site.')
    parser.add_argument('--version', action='version', version=f'mde_ros {__version__}')
    commands = parser.add_subparsers(dest='command', metavar='COMMAND', required=True)
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=text, description=text,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        if name == command:
            import_module(f'mde_ros.command_line.{module}').add_arguments(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``mde``; return 0 on success, 1 on a failed threshold, 2 on a user's error."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    command = next((word for word in words if word in COMMANDS), None)
    parsed = build_parser(command).parse_args(words)
    module = import_module(f'mde_ros.command_line.{COMMANDS[parsed.command][0]}')
    try:
        return int(module.run(parsed))
    except MdeError as error:
        print(f'mde {parsed.command}: error: {error}', file=sys.stderr)
        return 2
    except OSError as error:
        # A full disk, a folder that cannot be written: the message names the file.
        print(f'mde {parsed.command}: error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'mde {parsed.command}: interrupted', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
