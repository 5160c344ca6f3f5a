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

"""What took time to build, kept between runs in the user's cache folder."""

from collections.abc import Callable
import hashlib
from importlib.metadata import PackageNotFoundError, version
import json
import os
from pathlib import Path
import platform
import shutil
import tempfile
from typing import Any

from mde_ros import __version__
from mde_ros.estimation.backends.base import EngineSpec
from mde_ros.network.depth_network import DepthNetwork

KEPT = 64
_DIGEST = 32
_LIBRARIES = ('torch', 'onnx', 'onnxruntime', 'onnxruntime-gpu', 'openvino')


def network_digest(network: DepthNetwork) -> str:
    """
    Return the hash of a network's configuration and tensors.

    Of the folded network, it names weights, profile and style code at once.
    """
    found = hashlib.sha256(json.dumps(network.config.to_dict(), sort_keys=True).encode())
    for name, tensor in network.state_dict().items():
        found.update(name.encode())
        found.update(tensor.detach().cpu().contiguous().float().numpy().data)
    return found.hexdigest()


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that engines are made with, where installed."""
    found = {'mde_ros': __version__}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def processor() -> str:
    """Return what tells processors apart: what is compiled for one may fail on another."""
    try:
        lines = Path('/proc/cpuinfo').read_text().splitlines()
    except OSError:  # not Linux
        lines = []
    # Sets, as the lines come once a core.
    told = sorted({line for line in lines if line.startswith(('model name', 'flags', 'Features'))})
    return hashlib.sha256(''.join(told).encode()).hexdigest() + platform.machine()


def cache_folder() -> Path:
    """Return $XDG_CACHE_HOME/mde_ros/engines, by default in ~/.cache."""
    base = os.environ.get('XDG_CACHE_HOME', '')
    # The standard has relative paths ignored.
    root = Path(base) if os.path.isabs(base) else Path.home() / '.cache'
    return root / 'mde_ros' / 'engines'


class EngineCache:
    """
    Files by key; a damaged, foreign or unwritable cache costs time, never a failure.

    :param folder: None for :func:`cache_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder()

    def key(self, digest: str, spec: EngineSpec, backend: str) -> str:
        """Return the name of what depends on exactly these, the libraries and the processor."""
        parts = [digest, repr(spec), backend, sorted(library_versions().items()), processor()]
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    def place(self, key: str) -> Path | None:
        """Return the folder of a key, made where needed, None when it cannot be."""
        path = self.folder / key
        try:
            if not path.is_dir():
                path.mkdir(parents=True)
                self._prune()
            os.utime(path)
        except OSError:
            return None
        return path

    def content(self, key: str, name: str, make: Callable[[], bytes]) -> bytes:
        """Return the kept bytes, or make and keep them."""
        place = self.place(key)
        if place is None:
            return make()
        try:
            stored = (place / name).read_bytes()
        except OSError:
            stored = b''
        body = stored[_DIGEST:]
        if stored and hashlib.sha256(body).digest() == stored[:_DIGEST]:
            return body
        body = make()
        self._write(place / name, hashlib.sha256(body).digest() + body)
        return body

    def decision(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the kept JSON object, or make and keep it."""
        found = json.loads(self.content(key, 'decision', lambda: json.dumps(make()).encode()))
        assert isinstance(found, dict)
        return found

    def _write(self, path: Path, data: bytes) -> None:
        """Replace a file at once: two processes may start together."""
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
                stream.write(data)
            os.replace(stream.name, path)
        except OSError:
            pass  # a full disk: the next start takes as long as this one

    def _prune(self) -> None:
        """Remove all but the newest folders."""
        folders = sorted((path for path in self.folder.iterdir() if path.is_dir()),
                         key=lambda path: path.stat().st_mtime, reverse=True)
        for path in folders[KEPT:]:
            shutil.rmtree(path, ignore_errors=True)
