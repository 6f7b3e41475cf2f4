"""Who races, and against how many instances of the booking function."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.reliability.race import Racers


@pytest.fixture(scope="session")
def second_instance(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of another instance of the booking function: Google runs as many as there are requests for, and they share no memory."""
    ours = platform.configuration
    ports = replace(ours.ports, booking=Ports.free().booking)
    another = replace(ours, ports=ports, directory=tmp_path_factory.mktemp("second"))
    with Platform(another, only=("booking",)) as running:
        yield running.addresses.booking


@pytest.fixture(scope="session")
def client_processes(platform: Platform, second_instance: str) -> Iterator[Racers]:
    with Racers([platform.addresses.booking, second_instance]) as running:
        yield running


@pytest.fixture
def racers(client_processes: Racers, record_property: Callable[[str, object], None]) -> Iterator[Racers]:
    """The client processes, for one test; what its races counted stands in its report."""
    client_processes.tallies.clear()
    yield client_processes
    for what, tally in client_processes.tallies.items():
        record_property("race", f"{what}, {tally}")
