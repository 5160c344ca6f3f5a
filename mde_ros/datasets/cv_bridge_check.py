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

"""Whether this machine's cv_bridge converts images rightly; many broken ones are about."""

from functools import lru_cache
import importlib.util
import logging
import subprocess
import sys
from typing import Any

_log = logging.getLogger(__name__)

# Hand-made pictures and what they are in RGB. With OpenCV 5 or NumPy 2 an older cv_bridge takes
# rgb8 for nine channels, 16 bits for 8, or ends the process.
SELF_CHECK = """
from types import SimpleNamespace
import numpy as np
from cv_bridge import CvBridge
def image(encoding, width, step, values):
    return SimpleNamespace(height=1, width=width, encoding=encoding, is_bigendian=0, step=step,
                           data=bytes(values))
bridge = CvBridge()
for message, expected in (
        (image('rgb8', 2, 6, [1, 2, 3, 4, 5, 6]), [[[1, 2, 3], [4, 5, 6]]]),
        (image('bgr8', 2, 6, [1, 2, 3, 4, 5, 6]), [[[3, 2, 1], [6, 5, 4]]]),
        (image('bgra8', 1, 4, [1, 2, 3, 9]), [[[3, 2, 1]]]),
        (image('mono8', 2, 2, [7, 200]), [[[7] * 3, [200] * 3]]),
        (image('mono16', 1, 2, [0xff, 0xff]), [[[255] * 3]])):
    got = bridge.imgmsg_to_cv2(message, 'rgb8')
    assert got.dtype == np.uint8 and got.tolist() == expected, message.encoding
raw = image('16UC1', 2, 4, [1, 2, 3, 4])
got = bridge.imgmsg_to_cv2(raw)
assert got.dtype == np.uint16 and got.tolist() == [[0x0201, 0x0403]]
"""


@lru_cache(maxsize=1)
def trusted_cv_bridge() -> Any:
    """
    Return a cv_bridge.CvBridge that passed the self-check, or None; logs which is used.

    The check runs once, in a process of its own, as a broken cv_bridge may crash.
    """
    if importlib.util.find_spec('cv_bridge') is None:
        _log.info('images are converted by rosbags-image (no cv_bridge here)')
        return None
    try:
        check = subprocess.run([sys.executable, '-c', SELF_CHECK], capture_output=True,
                               timeout=60, check=False)
        if check.returncode == 0:
            from cv_bridge import CvBridge
            _log.info('images are converted by cv_bridge')
            return CvBridge()
        reason = (check.stderr.decode(errors='replace').strip().splitlines() or [''])[-1]
        reason = reason or f'it ended with {check.returncode}'
    except (OSError, subprocess.SubprocessError, ImportError) as error:
        reason = str(error)
    _log.warning('images are converted by rosbags-image: the cv_bridge here fails its '
                 'self-check (%s)', reason)
    return None
