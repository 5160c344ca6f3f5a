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

"""Package mde_ros: for colcon (ament_python) and for pip."""

from glob import glob

from setuptools import find_packages, setup

package_name = 'mde_ros'

setup(
    name=package_name,
    version='0.1.0',
    packages=find_packages(exclude=['test', 'test.*']),
    package_data={package_name: ['weights/*', 'evaluation/*.html.jinja']},
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/' + package_name]),
        ('share/' + package_name, ['package.xml']),
        ('share/' + package_name + '/launch', glob('launch/*.launch.py')),
        ('share/' + package_name + '/config', glob('config/*.*')),
        ('share/' + package_name + '/config/benchmarks', glob('config/benchmarks/*.yaml')),
        ('share/' + package_name + '/config/methods', glob('config/methods/*.yaml')),
    ],
    python_requires='>=3.10',
    # Versions: requirements.txt; torch is asked for exactly there, see its comment.
    install_requires=[
        'h5py', 'jinja2', 'lightning-fabric', 'matplotlib', 'mujoco', 'numpy', 'onnx',
        'onnxruntime', 'opencv-python-headless', 'openvino', 'pyyaml', 'rich', 'rosbags',
        'rosbags-image', 'safetensors', 'tensorboard', 'torch',
    ],
    extras_require={'test': ['catkin_pkg', 'hypothesis', 'pytest', 'pytest-timeout']},
    zip_safe=True,
    maintainer='mde_ros authors',
    maintainer_email='maintainers@mde-ros.example.org',
    description='Metric depth from one camera, adapted on site.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'mde = mde_ros.command_line.main:main',
            'depth_node = mde_ros.nodes.depth_node:main',
            'adaptation_node = mde_ros.nodes.adaptation_node:main',
        ],
    },
)
