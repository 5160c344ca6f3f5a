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
Stands for ``mde adapt``: same options, files, signals and exit codes, no network.

STUB_STEPS steps of STUB_STEP seconds; STUB_PROFILE is copied to the result; STUB_RESULT is
'accepted', 'refused', 'none' (no report) or 'crash'; with STUB_DEAF it ignores SIGTERM.
"""

import argparse
import json
import os
from pathlib import Path
import shutil
import signal
import sys
import time


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument('--out', type=Path)
    parser.add_argument('--progress-file', type=Path)
    options, _ = parser.parse_known_args()
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    checkpoint = options.out / 'checkpoint'
    step = int(checkpoint.read_text()) if checkpoint.exists() else 0
    with (options.out / 'starts').open('a') as starts:
        starts.write(f'{os.getpid()} {step}\n')
    (options.out / 'words.json').write_text(json.dumps(
        {'words': sys.argv[1:], 'threads': os.environ['OMP_NUM_THREADS']}))
    steps = int(os.environ.get('STUB_STEPS', '3'))
    print('the trainer speaks', flush=True)
    while step < steps:
        step += 1
        progress = {'phase': 'training', 'step': step, 'steps': steps,
                    'seconds_left': (steps - step) * .05, 'losses': {'depth': .5}}
        aside = options.progress_file.with_suffix('.part')
        aside.write_text(json.dumps(progress))
        aside.replace(options.progress_file)
        checkpoint.write_text(str(step))
        time.sleep(float(os.environ.get('STUB_STEP', '.02')))
        if stop and not os.environ.get('STUB_DEAF'):
            return 3
    result = os.environ.get('STUB_RESULT', 'accepted')
    if result == 'crash':
        print('mde adapt: error: weights.safetensors: no such file', file=sys.stderr)
        return 2
    if result == 'none':
        return 0
    if result == 'accepted':
        for suffix in ('.safetensors', '.json'):
            shutil.copy(Path(os.environ['STUB_PROFILE']).with_suffix(suffix),
                        options.out / f'profile{suffix}')
    (options.out / 'report.json').write_text(json.dumps(
        {'accepted': result == 'accepted', 'why': f'the check {result} it'}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
