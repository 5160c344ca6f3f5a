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

"""Scores pairs of predicted and reference depth, offline and live alike."""

from dataclasses import dataclass, field
from itertools import pairwise
import math
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from mde_ros.evaluation.crops import crop_mask, CropError
from mde_ros.evaluation.depth_ranges import range_edges, sort_by_range
from mde_ros.evaluation.floors import FloorFit, FLOORS, image_rows
from mde_ros.evaluation.metrics import (
    ErrorSums, MAXIMUM, mean_metrics, Metrics, MINIMUM, valid_mask)
from mde_ros.evaluation.pixel_store import PixelStore, ScoredPixels
from mde_ros.evaluation.scaling import (
    COLUMNS, median_ratio, scale_report, ScaleReport, SiteScale)

# Fewer scored pixels than this say nothing about a frame.
MINIMUM_PIXELS = 50


@dataclass(frozen=True)
class ScoringOptions:
    """
    What counts as a scored pixel.

    :param minimum: reference depths at or below are not scored, metres.
    :param maximum: reference depths at or above are not scored, metres.
    :param inner_edges: inner edges of the ranges, metres; None for the usual ones.
    :param crop: name of the window that is scored: see crops.CROPS.
    :param median_after_clamp: ``median_scaled`` clamps predictions before it scales them and not
        after, as one published code does; other columns stay as they are.
    :raises DepthRangeError: for a range or edges that do not rise.
    """

    minimum: float = MINIMUM
    maximum: float = MAXIMUM
    inner_edges: tuple[float, ...] | None = None
    crop: str = 'none'
    median_after_clamp: bool = False

    def __post_init__(self) -> None:
        """Check the range once."""
        self.edges  # noqa: B018 - raises

    @property
    def edges(self) -> tuple[float, ...]:
        """Return the edges of the ranges, metres."""
        return range_edges(self.minimum, self.maximum, self.inner_edges)


@dataclass(frozen=True)
class FrameScore:
    """
    The scores of one frame.

    :param pixels: number of scored pixels.
    :param reference: share of the image with a reference depth in the range.
    :param predicted: share of those that have a prediction; the others are not scored.
    :param ratio: median(g) / median(d).
    :param columns: metrics by column.
    """

    name: str
    stamp_ns: int
    pixels: int
    reference: float
    predicted: float
    ratio: float
    columns: dict[str, Metrics]


@dataclass(frozen=True)
class RangeScore:
    """Pooled pixels of one range of reference depth."""

    lower: float
    upper: float
    pixels: int
    columns: dict[str, Metrics]


@dataclass(frozen=True)
class Scores:
    """Everything that predicted and reference depth say about a set of frames."""

    frames: list[FrameScore]
    columns: dict[str, Metrics]
    floors: dict[str, dict[str, Metrics]]
    ranges: list[RangeScore]
    scale: ScaleReport


@dataclass
class _Pending:
    """What is known of a frame before the site factor is."""

    name: str
    stamp_ns: int
    reference: float
    predicted: float
    ratio: float


@dataclass
class Scorer:
    """
    Takes frames one by one and scores them at the end, when the set's one factor is known.

    Use it as a context manager: it holds a temporary file.
    """

    options: ScoringOptions = field(default_factory=ScoringOptions)
    _store: PixelStore = field(default_factory=PixelStore)
    _frames: list[_Pending] = field(default_factory=list)
    _site: SiteScale = field(default_factory=SiteScale)
    _floors: FloorFit = field(default_factory=FloorFit)

    def __enter__(self) -> 'Scorer':
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Remove the temporary file."""
        self._store.close()

    def __len__(self) -> int:
        """Return the number of frames taken."""
        return len(self._frames)

    def add(self, name: str, stamp_ns: int, prediction: NDArray[np.float32],
            truth: NDArray[np.float32]) -> str | None:
        """
        Take one frame.

        :param prediction: H x W metres; what is not finite and positive is no prediction.
        :param truth: H x W metres, NaN where there is no reading.
        :returns: None, or why the frame cannot be scored.
        """
        if prediction.shape != truth.shape:
            return 'prediction and reference differ in size'
        mask = valid_mask(truth, self.options.minimum, self.options.maximum)
        if self.options.crop != 'none':
            try:
                mask &= crop_mask(self.options.crop, *truth.shape)
            except CropError as error:
                return str(error)
        readings = int(np.count_nonzero(mask))
        if readings < MINIMUM_PIXELS:
            return f'fewer than {MINIMUM_PIXELS} reference readings in the scored range'
        with np.errstate(invalid='ignore'):
            mask &= np.isfinite(prediction) & (prediction > 0)
        row, column = np.nonzero(mask)
        if row.size < MINIMUM_PIXELS:
            return f'fewer than {MINIMUM_PIXELS} predicted pixels at reference readings'
        d, g = prediction[row, column], truth[row, column]
        v = image_rows(truth.shape[0])[row]
        order, counts = sort_by_range(g, self.options.edges)
        self._store.add(ScoredPixels(d[order], g[order], v[order], counts))
        self._site.add(d, g)
        self._floors.add(v, g)
        clamped = (np.clip(d, self.options.minimum, self.options.maximum)
                   if self.options.median_after_clamp else d)
        self._frames.append(_Pending(
            name, stamp_ns, readings / truth.size, d.size / readings, median_ratio(clamped, g)))
        return None

    def finish(self) -> Scores:
        """Score all frames: the second pass, over the stored pixels."""
        factor = self._site.factor
        frames: list[FrameScore] = []
        floors: dict[str, dict[str, list[Metrics]]] = {name: {} for name in FLOORS}
        edges = self.options.edges
        ranges = [{name: ErrorSums.empty() for name in COLUMNS} for _ in edges[1:]]
        for index, (pending, pixels) in enumerate(zip(self._frames, self._store, strict=True)):
            columns = {}
            for name, scale in zip(COLUMNS, (1., factor, pending.ratio), strict=True):
                late = name == 'median_scaled' and self.options.median_after_clamp
                prediction = pixels.prediction.astype(np.float64)
                if late:
                    prediction = np.clip(prediction, self.options.minimum, self.options.maximum)
                parts = self._by_range(prediction * scale, pixels, not late)
                for pooled, part in zip(ranges, parts, strict=True):
                    pooled[name] = pooled[name] + part
                columns[name] = sum(parts, ErrorSums.empty()).metrics()
            frames.append(FrameScore(
                pending.name, pending.stamp_ns, pixels.truth.size, pending.reference,
                pending.predicted, pending.ratio, columns))
            for (floor, column), metrics in self._floor_metrics(index, pixels).items():
                floors[floor].setdefault(column, []).append(metrics)
        return Scores(
            frames,
            {name: mean_metrics(frame.columns[name] for frame in frames) for name in COLUMNS},
            {floor: {column: mean_metrics(rows) for column, rows in columns.items()}
             for floor, columns in floors.items()},
            [RangeScore(lower, upper, pooled['raw'].count,
                        {name: sums.metrics() for name, sums in pooled.items()})
             for (lower, upper), pooled in zip(pairwise(edges), ranges, strict=True)],
            scale_report(factor, [frame.ratio for frame in frames]))

    def _by_range(self, prediction: NDArray[np.float64], pixels: ScoredPixels,
                  clamp: bool) -> list[ErrorSums]:
        """Return the sums of each range; the pixels are sorted by range."""
        ends = np.cumsum(pixels.counts)
        return [ErrorSums.of(prediction[end - count:end], pixels.truth[end - count:end],
                             self.options.minimum, self.options.maximum, clamp)
                for count, end in zip(pixels.counts, ends, strict=True)]

    def _floor_metrics(self, index: int,
                       pixels: ScoredPixels) -> dict[tuple[str, str], Metrics]:
        """Return the metrics of the floors on one frame by (floor, column)."""
        median = self._floors.own_median(index)
        constant = self._floors.constant_without(index)
        prior = self._floors.row_prior_without(index)
        predictions = {('constant', 'median_scaled'): np.full(pixels.truth.size, median)}
        if constant is not None:
            predictions['constant', 'site_scaled'] = np.full(pixels.truth.size, constant)
        if prior is not None:
            rows = prior.predict(pixels.rows, self.options.maximum)
            predictions['row_prior', 'site_scaled'] = rows
            predictions['row_prior', 'median_scaled'] = rows * (median / np.median(rows))
        return {key: ErrorSums.of(prediction, pixels.truth, self.options.minimum,
                                  self.options.maximum).metrics()
                for key, prediction in predictions.items()
                if math.isfinite(float(prediction[0]))}
