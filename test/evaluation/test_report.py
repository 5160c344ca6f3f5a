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

"""The HTML page: complete in itself, safe, and true to the numbers."""

import base64
from html.parser import HTMLParser
from pathlib import Path
import re
from typing import Any

import cv2
import numpy as np
import pytest

from mde_ros.evaluation.evaluator import evaluate
from mde_ros.evaluation.material import ReportMaterial
from mde_ros.evaluation.report import (
    colour_error, draw_scales, error_table, render_report, write_report)


class Page(HTMLParser):
    """The text and the image addresses of a page; counts that tags are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.images: list[str] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == 'img':
            self.images.append(dict(attrs)['src'] or '')
        elif tag != 'meta':
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ('style', 'title'):
            self.words.append(data.strip())


def test_page_is_whole_and_self_contained(frames: Any, source_of: Any, estimator_of: Any,
                                          tmp_path: Path) -> None:
    """Three frames of five pictures, five plots, two colour bars; nothing from elsewhere."""
    def far(image: Any) -> Any:
        # The more channel blue there is the worse.
        return (image[:, :, 0] + 3. * image[:, :, 1]).astype(np.float32) / 10
    for index, frame in enumerate(frames):
        frame.image[::2, :, 1] = index
    material = ReportMaterial(.3, 10)
    result = evaluate(source_of(frames), estimator_of(far), observers=[material])
    path = tmp_path / 'report.html'
    write_report(path, result, result.to_dict(), material)
    page = Page(path.read_text(encoding='utf-8'))
    assert not page.open
    assert len(page.images) == 3 * 5 + 5 + 2
    for address in page.images:
        data = base64.b64decode(address.partition('base64,')[2])
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None
    assert not re.search(r'(src|href)="(?!data:)', path.read_text(encoding='utf-8'))
    text = ' '.join(page.words)
    # Ranked by median-scaled error: the first frame is right, the last the worst.
    assert re.search(r'best\s+f0: AbsRel 0\.000', text)
    assert re.search(r'worst\s+f3: AbsRel', text)
    assert f'{result.to_dict()["raw"]["abs_rel"]:.3f}' in page.words


def test_names_are_escaped(memory_source: Any, perfect: Any) -> None:
    """A data set cannot write into the page."""
    memory_source.name = '<script>x</script>'
    result = evaluate(memory_source, perfect)
    html = render_report(result, result.to_dict(), None)
    assert '<script>' not in html
    assert '&lt;script&gt;' in html


def test_page_of_latency_alone(memory_source: Any, perfect: Any) -> None:
    """No empty sections."""
    result = evaluate(memory_source, perfect, latency_only=True)
    page = Page(render_report(result, result.to_dict(), None))
    assert len(page.images) == 1
    assert 'Latency' in page.words
    assert 'Error' not in page.words


def test_page_of_a_live_evaluation(memory_source: Any, perfect: Any) -> None:
    """Ages in place of stages; what the node counted."""
    result = evaluate(memory_source, perfect)
    result.timings = {'f0': {'age': 31.}, 'f1': {'age': 33.}}
    result.live = {'sent': 5, 'node_dropped': {}, 'age_ms': {'p50': 32.}}
    words = [word for word in Page(render_report(result, result.to_dict(), None)).words if word]
    assert 'Age' in words
    assert words[words.index('node dropped') + 1] == 'none'
    assert words[words.index('age ms') + 1] == 'p50 32'


def test_one_frame(frames: Any, source_of: Any, perfect: Any) -> None:
    """Shown once; no interval, fewer floors."""
    material = ReportMaterial(.3, 10)
    result = evaluate(source_of(frames[:1]), perfect, observers=[material])
    page = Page(render_report(result, result.to_dict(), material))
    assert len(page.images) == 5 + 5 + 2


def test_verdicts_are_shown(memory_source: Any, perfect: Any) -> None:
    """Met and failed."""
    result = evaluate(memory_source, perfect)
    fields = {**result.to_dict(), 'requirements': [
        {'text': 'raw.abs_rel<0.1', 'holds': True}, {'text': 'raw.delta1>2', 'holds': False}]}
    words = Page(render_report(result, fields, None)).words
    assert words[words.index('raw.abs_rel<0.1') - 1] == 'met'
    assert words[words.index('raw.delta1>2') - 1] == 'failed'


def test_error_colours() -> None:
    """Right is white, too far red, too near blue, unknown grey; the clamp is the score's."""
    truth = np.array([[2, 2, 2, np.nan, 8]], np.float32)
    prediction = np.array([[2, 3.5, 1, 1, 99]], np.float32)
    colours = colour_error(prediction, truth, .3, 10)[0]
    table = error_table()
    assert colours[0].tolist() == table[127].tolist() == [250, 250, 250]
    assert colours[1].tolist() == table[254].tolist()  # +75 % ends at +50 %
    assert colours[2].tolist() == table[0].tolist()
    assert colours[3].tolist() == [48, 48, 48]
    assert colours[4].tolist() == table[190].tolist()  # 10 m over 8 m, +25 %
    assert table[254, 0] > table[254, 2]
    assert table[0, 2] > table[0, 0]


def test_scale_ticks_are_where_their_depth_is() -> None:
    """1 m lies in the middle of 0.1 to 10 m."""
    places = dict(draw_scales({'min_depth': .1, 'max_depth': 10})['depth']['ticks'])
    assert places['1'] == pytest.approx(50)
    assert places['10'] == pytest.approx(100)
