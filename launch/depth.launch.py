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
Start the depth node; optionally play a bag into it and show the result in RViz.

ros2 launch mde_ros depth.launch.py image:=/camera/image_raw rviz:=true
"""

import os

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import (
    DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, SetEnvironmentVariable)
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackagePrefix, FindPackageShare

PACKAGE = 'mde_ros'
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')

# name: (default, choices or None, description)
ARGUMENTS = {
    'namespace': ('', None, 'namespace of the node and of its topics'),
    'name': ('depth_node', None, 'name of the node'),
    'params_file': (
        PathJoinSubstitution([FindPackageShare(PACKAGE), 'config', 'depth_node.yaml']), None,
        'YAML file with the parameters of the node'),
    'image': ('image', None, 'topic of the camera images, without /compressed'),
    'camera_info': ('', None, 'topic of the calibration; default: camera_info beside the image'),
    'weights': ('', None, "weight file; default: what params_file says, else 'shipped'"),
    'profile': ('', None, 'camera profile or store; default: what params_file says, else none'),
    'image_transport': ('', ['', 'raw', 'compressed'], 'default: what params_file says, else raw'),
    'autostart': ('true', ['true', 'false'], 'configure and activate the node at once'),
    'use_sim_time': ('false', ['true', 'false'], 'take the time from /clock'),
    'log_level': ('info', ['debug', 'info', 'warn', 'error'], 'of the depth node'),
    'fastdds_profile': (
        'true', ['true', 'false'],
        'export config/fastdds_large_images.xml, unless a profile is set already'),
    'play': ('', None, 'bag or RGB-D folder to play to the node, again and again'),
    'rviz': ('false', ['true', 'false'], 'show depth and cloud in RViz'),
    'fixed_frame': ('camera_optical_frame', None, 'frame of RViz: the frame_id of the images'),
}


def start(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Return the processes, with the arguments resolved."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    parameters: dict[str, bool | str] = {
        'autostart': value['autostart'] == 'true', 'use_sim_time': value['use_sim_time'] == 'true'}
    # What is not given on the command line stays as the file says.
    parameters |= {name: value[name] for name in ('weights', 'profile', 'image_transport')
                   if value[name]}
    remappings = [(name, value[name]) for name in ('image', 'camera_info') if value[name]]
    actions: list[LaunchDescriptionEntity] = [*_transport(context, value['fastdds_profile'])]
    actions.append(Node(
        package=PACKAGE, executable='depth_node', name=value['name'],
        namespace=value['namespace'], parameters=[value['params_file'], parameters],
        remappings=remappings, ros_arguments=['--log-level', value['log_level']],
        output='screen'))
    if value['play']:
        actions.append(ExecuteProcess(
            # Not a Node action: those add arguments for nodes, and mde is no node.
            cmd=[PathJoinSubstitution([FindPackagePrefix(PACKAGE), 'lib', PACKAGE, 'mde']),
                 'play', value['play'], '--loop', '--namespace', value['namespace'],
                 '--image-topic', value['image'], '--camera-info-topic',
                 value['camera_info'] or _beside(value['image']),
                 '--frame-id', value['fixed_frame'],
                 '--transport', value['image_transport'] or 'raw',
                 *(['--clock'] if value['use_sim_time'] == 'true' else ['--stamps', 'now']),
                 '--wait-for-subscribers', '60'],
            name='mde_play', output='screen'))
    if value['rviz'] == 'true':
        actions.append(Node(
            package='rviz2', executable='rviz2', name='rviz', namespace=value['namespace'],
            arguments=['-d', PathJoinSubstitution(
                [FindPackageShare(PACKAGE), 'config', 'depth.rviz']),
                '-f', value['fixed_frame']],
            parameters=[{'use_sim_time': value['use_sim_time'] == 'true'}]))
    return actions


def _transport(context: LaunchContext, wanted: str) -> list[LaunchDescriptionEntity]:
    """Return what sets the environment for large images."""
    if wanted != 'true':
        return [SetEnvironmentVariable('MDE_ROS_KEEP_TRANSPORT', '1')]
    if any(os.environ.get(name) for name in PROFILE_VARIABLES):
        return []
    profile = PathJoinSubstitution(
        [FindPackageShare(PACKAGE), 'config', 'fastdds_large_images.xml']).perform(context)
    return [SetEnvironmentVariable(name, profile) for name in PROFILE_VARIABLES]


def _beside(image: str) -> str:
    """Return the camera_info topic in the namespace of an image topic."""
    folder, slash, _ = image.rpartition('/')
    return f'{folder}{slash}camera_info'


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and what they start."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=text, choices=choices)
          for name, (default, choices, text) in ARGUMENTS.items()),
        OpaqueFunction(function=start)])
