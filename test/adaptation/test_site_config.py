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

"""The parts of the method site."""

from typing import Any

import pytest

from mde_ros.adaptation.errors import TrainingError
from mde_ros.adaptation.site_config import SiteConfig
from mde_ros.adaptation.train_config import TrainConfig


@pytest.mark.parametrize(('values', 'message'), [
    ({'statistics': 'own'}, "site.statistics 'own': use one of shared, separate, frozen"),
    ({'stylise': 1.5}, 'site.stylise = 1.5: must lie between 0 and 1'),
    ({'start': -.1}, 'site.start'), ({'student_zoom': 0.}, 'site.student_zoom = 0.0'),
    ({'consistency': -1.}, 'site.consistency'), ({'adversary': -1.}, 'site.adversary'),
    ({'precise': -1}, 'site.precise')])
def test_wrong_values_are_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        SiteConfig(**values)


def test_reading() -> None:
    found = SiteConfig.from_dict({'consistency': 2, 'precise': 3, 'anchors': False})
    assert (found.consistency, found.precise, found.anchors) == (2., 3, False)
    assert isinstance(found.consistency, float)


@pytest.mark.parametrize(('values', 'message'), [
    ({'zoom': 1.}, 'unknown fields site.zoom; there are: statistics'),
    ({'anchors': 1}, 'site.anchors: 1 where a bool'), ({'precise': True}, 'site.precise: True'),
    ({'stylise': 'half'}, "site.stylise: 'half' where a float")])
def test_wrong_fields(values: dict[str, Any], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        SiteConfig.from_dict(values)


def test_settings_of_older_runs_do_not_change() -> None:
    assert not {'site', 'trainable'} & set(TrainConfig().to_dict())
    config = TrainConfig(trainable='site', site=SiteConfig(stylise=.25))
    values = config.to_dict()
    assert values['trainable'] == 'site' and values['site']['stylise'] == .25
    assert TrainConfig.from_dict(values) == config
