"""The app. Edit ``stacks/environments.py``; this file is the table of contents."""

from stacks.node import use_wheel_node

use_wheel_node()  # before aws_cdk is imported, which starts Node

from stacks.application import application
from stacks.environments import ENVIRONMENTS

application(ENVIRONMENTS).synth()
