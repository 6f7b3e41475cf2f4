"""Who races, and against how many instances of the booking function. What the races counted is printed when the run is over."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.local.platform import Platform
from infra.local.ports import Ports
from tests.reliability.race import Racers, Tally

TALLIES = pytest.StashKey[dict[str, Tally]]()


@pytest.fixture(scope="session")
def second_instance(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of another instance of the booking function: Google runs as many as there are requests for, and they share no memory."""
    ours = platform.configuration
    ports = replace(ours.ports, booking=Ports.free().booking)
    another = replace(ours, ports=ports, directory=tmp_path_factory.mktemp("second"))
    with Platform(another, only=("booking",)) as running:
        yield running.addresses.booking


@pytest.fixture(scope="session")
def racers(platform: Platform, second_instance: str, pytestconfig: pytest.Config) -> Iterator[Racers]:
    with Racers([platform.addresses.booking, second_instance]) as running:
        pytestconfig.stash[TALLIES] = running.tallies
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tallies = config.stash.get(TALLIES, {})
    if tallies:
        terminalreporter.section("races")
    for what, tally in tallies.items():
        terminalreporter.write_line(f"{what}, {tally}")
