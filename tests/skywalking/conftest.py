"""One intake for a test, and an agent that has its token."""

import pytest
from skywalking_world import Agent, World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def agent(world):
    agent = Agent(world, world.token)
    yield agent
    agent.close()
