"""A served world per test, small enough to be made in milliseconds."""

from collections.abc import Iterator

import pytest

from pyf_pipeline_tests.world import Servers, World


@pytest.fixture
def world() -> World:
    return World(size=150, seed=7)


@pytest.fixture
def servers(world: World) -> Iterator[Servers]:
    with world.serve() as served:
        yield served
