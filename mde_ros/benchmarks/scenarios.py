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

"""The scenarios: which labelled source, which unlabelled targets, what is scored."""

from dataclasses import dataclass

from mde_ros.benchmarks.errors import BenchmarkError

# Room seeds: folders of different seeds share no room.
SOURCE_ROOMS, ADAPT_ROOMS, SCORE_ROOMS = 101, 202, 303
# Focal lengths as a share of the image's width: a Kinect v1, and a wide robot camera.
NARROW, WIDE = .82, .6


@dataclass(frozen=True)
class SimulatedSet:
    """
    Rooms that are rendered when they are needed.

    :param role: 'source', 'adapt' or 'score': how many frames, see settings.py.
    :param focal: focal length as a share of the width; None draws one for each view.
    """

    name: str
    role: str
    seed: int
    camera: str = 'neutral'
    weather: str = 'clear'
    focal: float | None = None


@dataclass(frozen=True)
class RealSet:
    """
    A folder of --data.

    :param split: of its meta.json; None takes all frames.
    :param border: pixels along each side that are no picture, and are cut off.
    """

    name: str
    split: str | None = None
    border: int = 0


@dataclass(frozen=True)
class Target:
    """Frames to adapt to without their labels, and other frames to score."""

    name: str
    adapt: SimulatedSet | RealSet
    score: SimulatedSet | RealSet


@dataclass(frozen=True)
class Scenario:
    """
    One table.

    :param quick: the targets of size quick; None for all.
    :param quick_steps: warm steps and steps of size quick: fewer where there are more targets,
        so that each table takes about the same time.
    """

    name: str
    summary: str
    source: tuple[SimulatedSet | RealSet, ...]
    targets: tuple[Target, ...]
    quick: tuple[str, ...] | None = None
    quick_steps: tuple[int, int] = (600, 400)

    def targets_of(self, size: str) -> tuple[Target, ...]:
        """Return the targets of size 'quick' or 'full'."""
        if size != 'quick' or self.quick is None:
            return self.targets
        return tuple(target for target in self.targets if target.name in self.quick)

    def needs_data(self, size: str) -> bool:
        """Tell whether recordings are needed, which --data names."""
        sets = [*self.source, *(s for t in self.targets_of(size) for s in (t.adapt, t.score))]
        return any(isinstance(one, RealSet) for one in sets)


def real_target(name: str) -> Target:
    """Return a recording that has the splits 'adapt' and 'score'."""
    return Target(name, RealSet(name, 'adapt'), RealSet(name, 'score'))


def simulated_target(name: str, camera: str, weather: str, focal: float | None) -> Target:
    """Return other rooms than the source's, two sets that share none either."""
    return Target(name, *(
        SimulatedSet(f'{name}_{role}', role, seed, camera, weather, focal)
        for role, seed in (('adapt', ADAPT_ROOMS), ('score', SCORE_ROOMS))))


# The colour image of the NYU recording has a white border.
KINECT1 = (RealSet('kinect1_7scenes_redkitchen'), RealSet('kinect1_nyu_cafe', border=8),
           RealSet('kinect1_tum_fr1'), RealSet('kinect1_osd_tabletop'))
OTHER_CAMERAS = tuple(real_target(name) for name in (
    'd435_lab_floor', 'xtion_ist_a', 'xtion_ist_b'))
ANY_CAMERA = SimulatedSet('rooms_source', 'source', SOURCE_ROOMS)

SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario(
        'cross_camera', 'simulated camera A to camera B: another look, a wider lens, other rooms',
        (SimulatedSet('camera_a_source', 'source', SOURCE_ROOMS, 'camera_a', focal=NARROW),),
        (simulated_target('camera_b', 'camera_b', 'clear', WIDE),)),
    Scenario(
        'cross_camera_real', 'Kinect v1 recordings to a RealSense D435 and two Xtion',
        KINECT1, OTHER_CAMERAS, quick=('d435_lab_floor', 'xtion_ist_a'),
        quick_steps=(600, 300)),
    Scenario(
        'sim_to_real', 'simulated rooms to every indoor recording', (ANY_CAMERA,),
        (*OTHER_CAMERAS, *(real_target(one.name) for one in KINECT1 if not one.border)),
        quick=('d435_lab_floor', 'xtion_ist_a'), quick_steps=(600, 300)),
    Scenario(
        'fog', 'clear simulated rooms to foggy ones, by a fog model that no training uses',
        (ANY_CAMERA,), (simulated_target('fog_banks', 'neutral', 'fog_banks', None),)),
)}


def scenario_named(name: str) -> Scenario:
    """
    Return a scenario.

    :raises BenchmarkError: listing the names there are.
    """
    if name not in SCENARIOS:
        raise BenchmarkError(f"no benchmark '{name}'; there are: {', '.join(SCENARIOS)}; or give "
                             'a YAML file as in config/benchmarks')
    return SCENARIOS[name]
