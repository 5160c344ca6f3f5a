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

"""What the tests share: a quiet environment, ROS domains of their own, a tiny data set."""

from collections.abc import Iterator
import fcntl
import json
import os
from pathlib import Path
import sys
import tempfile
from typing import Any

# Before rclpy, MuJoCo or torch is imported anywhere.
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
os.environ.setdefault('MUJOCO_GL', 'egl')
os.environ.setdefault('MPLBACKEND', 'Agg')
# Engines that tests make are kept apart from the user's.
os.environ['XDG_CACHE_HOME'] = str(Path(tempfile.gettempdir()) / 'mde_ros_test_cache')
for _threads in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'):
    os.environ.setdefault(_threads, '1')

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402

from mde_ros.camera.intrinsics import Intrinsics  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
# Domains up to 101 keep DDS's ports below the ports that Linux hands out to others.
DOMAINS = range(1, 101)

cv2.setNumThreads(1)


@pytest.fixture(scope='session')
def repository() -> Path:
    """Return the root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Return the folder of real recordings that some checkouts have beside them, or skip."""
    folder = REPOSITORY.parent / 'shared' / 'data'
    if not folder.is_dir():
        pytest.skip(f'no recordings of real cameras in {folder}')
    return folder


@pytest.fixture
def domain_id() -> Iterator[int]:
    """
    Lend a ROS domain that no other test of this machine has while the test runs.

    A lock on a file holds it, so that parallel workers and parallel runs keep apart.
    """
    start = os.getpid() * 7
    for step in DOMAINS:
        domain = DOMAINS[(start + step) % len(DOMAINS)]
        path = Path(tempfile.gettempdir()) / f'mde_ros_test_domain_{domain}.lock'
        with path.open('w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    pytest.fail(f'all ROS domains {DOMAINS.start} to {DOMAINS.stop - 1} are taken')


@pytest.fixture
def ros_context(domain_id: int) -> Iterator[Any]:
    """Return an rclpy Context of its own in a domain of its own; shut down after the test."""
    rclpy = pytest.importorskip('rclpy', reason='ROS 2 (rclpy) is not installed')
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain_id)
    yield context
    context.try_shutdown()


@pytest.fixture
def ros_environment(domain_id: int) -> dict[str, str]:
    """Return the environment for a child process in the same ROS domain as the test."""
    return {**os.environ, 'ROS_DOMAIN_ID': str(domain_id), 'PYTHONUNBUFFERED': '1',
            'PATH': os.pathsep.join((str(Path(sys.executable).parent), os.environ['PATH']))}


@pytest.fixture(scope='session')
def small_camera() -> Intrinsics:
    """Return a pinhole of 64 x 48 pixels with 67 degrees of view."""
    return Intrinsics(64, 48, 48., 48., 31.5, 23.5)


@pytest.fixture
def rgbd_folder(tmp_path: Path, small_camera: Intrinsics) -> Path:
    """
    Return an RGB-D folder of six frames, 64 x 48, four to adapt to and two to score.

    Depth rises from 1 m in the first row to 3.35 m in the last; frame n is 0.1 n m farther.
    The upper left 8 x 8 pixels have no reading.
    """
    folder = tmp_path / 'tiny'
    (folder / 'rgb').mkdir(parents=True)
    (folder / 'depth').mkdir()
    names = [f'{index:06d}' for index in range(6)]
    rows, columns = np.indices((48, 64))
    for index, name in enumerate(names):
        image = np.stack([columns * 3, rows * 5, np.full_like(rows, 40 * index)], -1)
        depth = 1000 + 50 * rows + 100 * index
        depth[:8, :8] = 0
        cv2.imwrite(str(folder / 'rgb' / f'{name}.png'), image.astype(np.uint8))
        cv2.imwrite(str(folder / 'depth' / f'{name}.png'), depth.astype(np.uint16))
    meta = {
        **small_camera.to_dict(), 'camera': 'test', 'licence': 'Apache-2.0',
        'source': 'made by test/conftest.py', 'splits': {'adapt': names[:4], 'score': names[4:]},
        'stamps': {name: 1_000_000_000 + index * 33_333_333 for index, name in enumerate(names)}}
    (folder / 'meta.json').write_text(json.dumps(meta))
    return folder
