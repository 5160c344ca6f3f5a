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
Start the depth node and the adaptation node of one camera, over the folder of one site.

ros2 launch mde_ros adapt.launch.py image:=/camera/image_raw site:=/data/kitchen
"""

import os

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

PACKAGE = 'mde_ros'

# name: (default, choices or None, description)
ARGUMENTS = {
    'site': ('~/mde_site', None, 'folder of this place and camera: recording, profiles'),
    'camera': ('', None, 'name of the camera; default: what adapt_params_file says, else camera'),
    'namespace': ('', None, 'namespace of both nodes and of their topics'),
    'adapt_name': ('adaptation_node', None, 'name of the adaptation node'),
    'adapt_params_file': (
        PathJoinSubstitution([FindPackageShare(PACKAGE), 'config', 'adaptation_node.yaml']), None,
        'YAML file with the parameters of the adaptation node'),
    'camera_height': ('0.0', None, 'metres of the camera over the floor; 0.0: not known'),
    'camera_pitch': ('-90.0', None, 'degrees by which the camera looks down; -90.0: not known'),
    'tape_distance': ('0.0', None, 'metres to what is in the middle of the image; 0.0: none'),
    'weather': ('0.0', None, 'share of rehearsed images in haze, fog, smoke; 0.5 where it is met'),
    'odometry': ('', None, 'nav_msgs/Odometry topic to record; default: none'),
    'adapt_log_level': ('info', ['debug', 'info', 'warn', 'error'], 'of the adaptation node'),
    # The others are those of depth.launch.py; these are wanted here too.
    'name': ('depth_node', None, 'name of the depth node'),
    'image': ('image', None, 'topic of the camera images, without /compressed'),
    'camera_info': ('', None, 'topic of the calibration; default: camera_info beside the image'),
    'weights': ('', None, "weight file; default: what the params_files say, else 'shipped'"),
    'image_transport': ('', ['', 'raw', 'compressed'], 'default: what the params_files say'),
    'autostart': ('true', ['true', 'false'], 'configure and activate the nodes at once'),
    'use_sim_time': ('false', ['true', 'false'], 'take the time from /clock'),
}
# Handed on as they are; what is not named here keeps the default of depth.launch.py.
DEPTH_ARGUMENTS = ('namespace', 'name', 'image', 'camera_info', 'weights', 'image_transport',
                   'autostart', 'use_sim_time')


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return both nodes, with the arguments resolved."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    site = os.path.abspath(os.path.expanduser(value['site']))
    # The adaptation node finds the depth node by its name in the same namespace.
    parameters: dict[str, bool | str | float] = {
        'site': site, 'depth_node': value['name'], 'autostart': value['autostart'] == 'true',
        'use_sim_time': value['use_sim_time'] == 'true'}
    # What is not given on the command line stays as the file says.
    parameters |= {name: value[name] for name in ('camera', 'weights', 'image_transport')
                   if value[name]}
    numbers = ('camera_height', 'tape_distance', 'weather')
    parameters |= {name: float(value[name]) for name in numbers if float(value[name])}
    if float(value['camera_pitch']) > -90:
        parameters['camera_pitch'] = float(value['camera_pitch'])
    if value['odometry']:
        parameters['odometry_topic'] = value['odometry']
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(
            [FindPackageShare(PACKAGE), 'launch', 'depth.launch.py'])),
        launch_arguments=[('profile', site), *((name, value[name]) for name in DEPTH_ARGUMENTS)])
    adaptation = Node(
        package=PACKAGE, executable='adaptation_node', name=value['adapt_name'],
        namespace=value['namespace'], parameters=[value['adapt_params_file'], parameters],
        remappings=[(name, value[name]) for name in ('image', 'camera_info') if value[name]],
        ros_arguments=['--log-level', value['adapt_log_level']], output='screen',
        # A trainer gets time for its checkpoint.
        sigterm_timeout='45', sigkill_timeout='15')
    # The depth node's launch file sets the transport of large images for both.
    return [depth, adaptation]


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and what they start."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
          for name, (default, choices, text) in ARGUMENTS.items()),
        OpaqueFunction(function=start)])
