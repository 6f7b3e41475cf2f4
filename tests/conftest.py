"""The running platform, started once a test run for the tests that ask for it, and a business of its own for each of them."""

import os
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping

import grpc
import pytest
import requests
from google.cloud.tasks_v2 import CloudTasksClient, Queue, RateLimits
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.protobuf.field_mask_pb2 import FieldMask

from functions.adapters.composition import Application
from functions.adapters.settings import read_settings
from functions.adapters.store.store import Store
from infra.local.configuration import TASKS_LOCATION, Configuration
from infra.local.platform import Platform
from infra.local.ports import Ports
from infra.local.supervisor import PartFailed
from tests.limits import GENEROUS
from tests.secrecy import Secrecy, listening
from tests.studio import Studio, new_studio

# What would turn a test run into one against something outside.
OUTSIDE = ("FIRESTORE_EMULATOR_HOST", "GOOGLE_CALENDAR_ENDPOINT", "GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET")


SECRECY = pytest.StashKey[Secrecy]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SECRECY] = Secrecy()


@pytest.fixture(scope="session")
def secrecy(request: pytest.FixtureRequest) -> Secrecy:
    return request.config.stash[SECRECY]


@pytest.fixture(scope="session", autouse=True)
def _no_secret_is_logged(secrecy: Secrecy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Law 12, for the logs of everything that any test started."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(requests.Session, "send", listening(secrecy))
        yield
    assert secrecy.leaks_in_logs(tmp_path_factory.getbasetemp()) == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.passed:  # one that fails shows what it was about
        item.config.stash[SECRECY].print_of(report.nodeid, report.sections)
    return report


@pytest.fixture(scope="session")
def environment() -> Mapping[str, str]:
    """The environment of the test run, less what would point the platform elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in OUTSIDE}


@pytest.fixture(scope="session")
def platform(
    environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory, secrecy: Secrecy
) -> Iterator[Platform]:
    """All parts, on free ports, in a project and a folder of their own."""
    configuration = Configuration.from_environment(
        {**environment, **GENEROUS, "GOOGLE_CLOUD_PROJECT": f"test-{uuid.uuid4().hex[:12]}"},
        directory=tmp_path_factory.mktemp("platform"),
        ports=Ports.free(),
    )
    with Platform(configuration) as running:
        _let_mail_flow(running)
        yield running
        # Law of the stand-in: whatever any test sent or got fits Google's own discovery document.
        answer = requests.get(f"{running.addresses.google}/control/mismatches", timeout=30)
        assert answer.json() == {"mismatches": []}
        # Law 12: nothing that any test has caused tells a secret.
        assert secrecy.leaks(running, _store(running)) == []


def _let_mail_flow(platform: Platform) -> None:
    """Mail is paced for the sake of real mail servers. Thousands of mails of one test would be in the way of the next one's for minutes."""
    address, project = platform.addresses.tasks, platform.configuration.project
    with grpc.insecure_channel(address) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        queue = Queue(
            name=client.queue_path(project, TASKS_LOCATION, "notify"),
            rate_limits=RateLimits(max_dispatches_per_second=500, max_concurrent_dispatches=8),
        )
        client.update_queue(queue=queue, update_mask=FieldMask(paths=["rate_limits"]))


@pytest.fixture(scope="session")
def store(platform: Platform) -> Store:
    """The platform's Firestore as the functions see it, for what has no address: the first account, and what a crash would leave."""
    return _store(platform)


def _store(platform: Platform) -> Store:
    settings = platform.configuration.functions_environment
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FIRESTORE_EMULATOR_HOST", settings["FIRESTORE_EMULATOR_HOST"])  # its client looks there itself
        return Application(read_settings(settings)).store


@pytest.fixture
def make_studio(platform: Platform, store: Store) -> Iterator[Callable[[], Studio]]:
    """Makes accounts with their operators and Google users. Where a part died under a test, no other test could say anything: the run ends."""
    google, made = platform.configuration.google, list[Studio]()

    def make() -> Studio:
        made.append(new_studio(platform.addresses, store, google.client_id, google.client_secret))
        return made[-1]

    yield make
    try:
        platform.supervisor.check()
    except PartFailed as failed:
        pytest.exit(str(failed), returncode=pytest.ExitCode.TESTS_FAILED)
    for studio in made:
        _let_schedules_pass_by(store, studio.account)


def _let_schedules_pass_by(store: Store, account: str) -> None:
    """Its test is over. A schedule looks at all accounts, and what a later test waits for would come after all that is due of those before it."""
    batch = store.client.batch()
    for calendar in store.client.collection(f"accounts/{account}/calendars").select([]).stream():
        batch.update(calendar.reference, {"next_poll_at": None, "renew_at": None})
    batch.commit()


@pytest.fixture
def empty_studio(make_studio: Callable[[], Studio]) -> Studio:
    """An account with a resource and a service, connected to nothing."""
    studio = make_studio()
    studio.open()
    studio.offer()
    return studio


@pytest.fixture
def studio(empty_studio: Studio) -> Studio:
    """The same, connected to its person's calendar, pulled and watched."""
    empty_studio.connect_and_wait()
    return empty_studio


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the races counted. From the reports, because several processes may have run the tests."""
    reports = [each for each in terminalreporter.getreports("") if each.when == "teardown"]
    races = [value for report in reports for name, value in report.user_properties if name == "race"]
    if races:
        terminalreporter.section("races")
        for race in races:
            terminalreporter.write_line(str(race))
