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

"""Intrinsics: hand-computed numbers, messages, files, and properties of resize and crop."""

import json
from typing import Any

from hypothesis import given, strategies as st
import numpy as np
import pytest
from rosbags.typesys import get_typestore, Stores

from mde_ros.camera.intrinsics import Intrinsics, IntrinsicsError

VGA = Intrinsics(640, 480, 500., 510., 319.5, 239.5)
BARREL = (-.3, .1, .001, -.002, .05)
YAML = """
image_width: 640
image_height: 480
camera_name: head
camera_matrix: {rows: 3, cols: 3, data: [500, 0, 319.5, 0, 510, 239.5, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.3, 0.1, 0.001, -0.002, 0.05]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [480, 0, 318, 0, 0, 490, 238, 0, 0, 0, 1, 0]}
"""


def camera_info(store: Stores = Stores.ROS2_JAZZY, **changes: Any) -> Any:
    """Return a CameraInfo of rosbags, whose fields are those of rclpy, in upper case in ROS 1."""
    types = get_typestore(store).types
    ros1 = store == Stores.ROS1_NOETIC
    stamp = types['builtin_interfaces/msg/Time'](sec=0, nanosec=0)
    header = {'stamp': stamp, 'frame_id': 'camera', **({'seq': 0} if ros1 else {})}
    roi = {'x_offset': 0, 'y_offset': 0, 'width': 0, 'height': 0, 'do_rectify': False,
           **changes.pop('roi', {})}
    fields = {
        'd': list(BARREL), 'k': [500., 0, 319.5, 0, 510., 239.5, 0, 0, 1],
        'r': np.eye(3).ravel(),
        'p': [480., 0, 318., -30., 0, 490., 238., 0, 0, 0, 1, 0], **changes}
    rest = {name: fields.pop(name) for name in list(fields) if len(name) > 1}
    arrays = {(name.upper() if ros1 else name): np.array(value, np.float64)
              for name, value in fields.items()}
    return types['sensor_msgs/msg/CameraInfo'](
        **{'header': types['std_msgs/msg/Header'](**header), 'height': 480, 'width': 640,
           'distortion_model': 'plumb_bob', 'binning_x': 0, 'binning_y': 0,
           'roi': types['sensor_msgs/msg/RegionOfInterest'](**roi), **arrays, **rest})


def test_matrix_and_field_of_view() -> None:
    np.testing.assert_array_equal(
        VGA.matrix, [[500, 0, 319.5], [0, 510, 239.5], [0, 0, 1]])
    # Half the width at f = half the width: 45 degrees to either side.
    assert Intrinsics(640, 480, 320, 320, 319.5, 239.5).horizontal_fov == pytest.approx(90)
    # Principal point on the left edge: the whole width lies on one side.
    assert Intrinsics(640, 480, 640, 640, -.5, 0).horizontal_fov == pytest.approx(45)


def test_resized_keeps_pixel_centres() -> None:
    half = VGA.resized(320, 240)
    # The centre of a 640 wide image is 319.5, that of a 320 wide one 159.5.
    assert (half.fx, half.fy, half.cx, half.cy) == (250, 255, 159.5, 119.5)
    assert (half.width, half.height) == (320, 240)
    # The upper left pixel's centre, 0, is a quarter of a small pixel left of the small one's.
    assert Intrinsics(640, 480, 500, 500, 0, 0).resized(320, 240).cx == -.25


def test_cropped_and_padded() -> None:
    window = VGA.cropped(100, 50, 200, 100)
    assert (window.cx, window.cy, window.fx, window.fy) == (219.5, 189.5, 500, 510)
    assert (window.width, window.height) == (200, 100)
    assert VGA.cropped(-10, -4, 660, 488).cx == 329.5


@given(x=st.floats(-2, 2), y=st.floats(-2, 2), z=st.floats(.1, 50),
       width=st.integers(1, 2000), height=st.integers(1, 2000),
       left=st.integers(-300, 300), top=st.integers(-300, 300))
def test_resize_and_crop_commute_with_projection(
        x: float, y: float, z: float, width: int, height: int, left: int, top: int) -> None:
    def project(camera: Intrinsics) -> tuple[float, float]:
        u, v, w = camera.matrix @ (x, y, z)
        return u / w, v / w

    u, v = project(VGA)
    # Edges, not centres, scale: the left edge of pixel 0 is at -0.5 in every image.
    mapped = (u + .5) * width / 640 - .5 - left, (v + .5) * height / 480 - .5 - top
    found = project(VGA.resized(width, height).cropped(left, top, 50, 50))
    assert found == pytest.approx(mapped, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(('fields', 'named'), [
    ({'width': 0}, 'width'), ({'fx': 0.}, 'fx'), ({'fy': float('nan')}, 'fy'),
    ({'fx': -500.}, 'fx'), ({'cx': float('inf')}, 'cx'),
    ({'distortion_model': 'radial'}, 'plumb_bob'),
    ({'distortion_model': 'equidistant', 'distortion': (.1, .2)}, '4 coefficients, got 2'),
    ({'distortion_model': 'plumb_bob', 'distortion': (0, 0, 0, float('nan'))}, 'finite'),
])
def test_wrong_numbers_name_the_field(fields: dict[str, Any], named: str) -> None:
    good = {'width': 640, 'height': 480, 'fx': 500., 'fy': 500., 'cx': 320., 'cy': 240.}
    with pytest.raises(IntrinsicsError, match=named):
        Intrinsics(**{**good, **fields})  # type: ignore[arg-type]


def test_dict_form_round_trips_through_json() -> None:
    camera = Intrinsics(640, 480, 500., 510., 319.5, 239.5, 'plumb_bob', BARREL)
    for one in (VGA, camera):
        assert Intrinsics.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    assert 'distortion' not in VGA.to_dict()


@pytest.mark.parametrize(('fields', 'named'), [
    ({'width': 640, 'intrinsics': VGA.to_dict()['intrinsics']}, "'height'"),
    ({'width': 640, 'height': 480, 'intrinsics': {'fx': 1, 'fy': 1, 'cx': 0}}, "'cy'"),
    ({'width': 640, 'height': 480}, 'fx, fy, cx, cy'),
    ({'width': 640, 'height': 480, 'intrinsics': [1, 2, 3, 4]}, 'fx, fy, cx, cy'),
    ({**VGA.to_dict(), 'width': 'wide'}, 'wide'),
    ({**VGA.to_dict(), 'width': float('inf')}, 'no number'),
    ({**VGA.to_dict(), 'distortion': [.1, .2]}, 'coefficients'),
])
def test_dict_errors_name_the_field(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(IntrinsicsError, match=named):
        Intrinsics.from_dict(fields)


def test_distortion_may_be_a_list() -> None:
    camera = Intrinsics(4, 3, 1., 1., 1., 1., 'equidistant',
                        [.1, 0, 0, 0])  # type: ignore[arg-type]
    assert {camera: 1}[camera] == 1
    assert not camera.rectified
    assert camera.without_distortion().rectified


@pytest.mark.parametrize('store', [Stores.ROS2_JAZZY, Stores.ROS1_NOETIC])
def test_camera_info(store: Stores) -> None:
    raw = Intrinsics.from_camera_info(camera_info(store), rectified=False)
    assert raw == Intrinsics(640, 480, 500., 510., 319.5, 239.5, 'plumb_bob', BARREL)
    # A rectified image belongs to P, without distortion.
    flat = Intrinsics.from_camera_info(camera_info(store), rectified=True)
    assert flat == Intrinsics(640, 480, 480., 490., 318., 238.)


def test_camera_info_without_p_falls_back_to_k() -> None:
    flat = Intrinsics.from_camera_info(camera_info(p=[0.] * 12), rectified=True)
    assert flat == VGA


@pytest.mark.parametrize('rectified', [False, True])
def test_uncalibrated_camera_info(rectified: bool) -> None:
    for k, named in ((0., 'calibrate'), (float('nan'), 'calibrate')):
        message = camera_info(k=[k, 0, 0, 0, k, 0, 0, 0, 1], p=[0.] * 12)
        with pytest.raises(IntrinsicsError, match=named):
            Intrinsics.from_camera_info(message, rectified)


def test_camera_info_models_and_their_aliases() -> None:
    def read(model: str, d: list[float]) -> Intrinsics:
        return Intrinsics.from_camera_info(
            camera_info(distortion_model=model, d=d), rectified=False)

    assert read('fisheye', [.1, 0, 0, 0]) == read('equidistant', [.1, 0, 0, 0])
    assert read('Kannala_Brandt4', [.1, 0, 0, 0]).distortion_model == 'equidistant'
    assert read('', [.1, 0, 0, 0]).distortion_model == 'plumb_bob'
    assert read('rational_polynomial', [.1] * 8).distortion == (.1,) * 8
    # Drivers fill in zeros, or nothing, where they do not know the lens.
    for d in ([], [0.] * 5):
        assert read('plumb_bob', d) == VGA
    with pytest.raises(IntrinsicsError, match='ucm'):
        read('ucm', [.1, .2])


def test_camera_info_region_of_interest_and_binning() -> None:
    roi = {'x_offset': 100, 'y_offset': 40, 'width': 400, 'height': 300}
    cut = Intrinsics.from_camera_info(camera_info(d=[], roi=roi), rectified=False)
    assert cut == Intrinsics(400, 300, 500., 510., 219.5, 199.5)
    # Two by two sensor pixels in one: the middle between 219 and 220 is 109.5.
    both = Intrinsics.from_camera_info(
        camera_info(d=[], roi=roi, binning_x=2, binning_y=2), rectified=False)
    assert both == Intrinsics(200, 150, 250., 255., 109.5, 99.5)
    with pytest.raises(IntrinsicsError, match='roi of 400x300'):
        Intrinsics.from_camera_info(camera_info(roi={**roi, 'x_offset': 241}), rectified=True)


def test_yaml_of_camera_info_manager(tmp_path: Any) -> None:
    path = tmp_path / 'head.yaml'
    path.write_text(YAML)
    assert Intrinsics.from_yaml(path) == Intrinsics(
        640, 480, 500., 510., 319.5, 239.5, 'plumb_bob', BARREL)
    path.write_text(YAML.replace('plumb_bob', 'fisheye').replace(', 0.05]', ']'))
    assert Intrinsics.from_yaml(path).distortion_model == 'equidistant'
    # JSON is YAML: a meta.json does as well.
    path.write_text(json.dumps(VGA.to_dict()))
    assert Intrinsics.from_yaml(path) == VGA


@pytest.mark.parametrize('text', [
    'a: [1, 2', '- 1', YAML.replace('image_width', 'image_breadth'),
    YAML.replace('data: [500, 0, 319.5, 0, 510, 239.5, 0, 0, 1]', 'data: [500]'),
    YAML.replace('data: [500,', 'data: [0,'), YAML.replace('plumb_bob', 'ucm'), '{}', None,
])
def test_yaml_errors_are_one_line_with_the_file(tmp_path: Any, text: str | None) -> None:
    path = tmp_path / 'broken.yaml'
    if text is not None:
        path.write_text(text)
    with pytest.raises(IntrinsicsError) as caught:
        Intrinsics.from_yaml(path)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)
