"""A stand-in PyPI, GitHub and pypistats: real HTTP servers on loopback over a made-up ecosystem, answering alike."""

from pyf_pipeline_tests.world.faults import Fault
from pyf_pipeline_tests.world.github import Figures
from pyf_pipeline_tests.world.log import LoggedRequest, RequestLog
from pyf_pipeline_tests.world.server import Servers
from pyf_pipeline_tests.world.world import World

__all__ = ["Fault", "Figures", "LoggedRequest", "RequestLog", "Servers", "World"]
