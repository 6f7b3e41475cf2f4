"""The webhook as functions-framework runs it, in this process. Cloud Tasks is out of reach, so an attempt to make a task shows as the answer 503."""

import subprocess
import sys
from collections.abc import Iterator, Mapping

import functions_framework
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from functions.adapters.composition import Application, application
from functions.adapters.settings import read_settings
from functions.adapters.signing import ChannelClaim, channel_token
from functions.adapters.tasks import EnqueueFailed, Task, Tasks
from functions.webhook.notifications import GRACE_S, receive
from infra.local.ports import Ports
from tests.adapters.keys import STRANGE
from tests.adapters.test_settings import NEEDED
from tests.domain.test_purity import ROOT

UNREACHABLE = f"127.0.0.1:{Ports.free().tasks}"
SETTINGS = read_settings({**NEEDED, "CLOUD_TASKS_EMULATOR_HOST": UNREACHABLE})
KEY = SETTINGS.signing_keys[0]
CLAIM = ChannelClaim(account="demo", calendar="5f2b8c", expires=1_803_283_200)
NOW = 1_803_000_000_000  # before the claim's end
BUCKET = SETTINGS.pull_coalesce_ms
GOOD = {
    "X-Goog-Channel-ID": "channel-1",
    "X-Goog-Channel-Token": channel_token(KEY, "channel-1", CLAIM),
    "X-Goog-Resource-State": "exists",
    "X-Goog-Resource-ID": "resource-1",
    "X-Goog-Message-Number": "7",
}
TASK_ASKED_FOR, REFUSED, NOTHING_TO_DO, WRONG_METHOD = 503, 403, 204, 405


class Book(Tasks):
    """Writes down which tasks are asked for."""

    def __init__(self) -> None:
        self.asked: list[Task] = []

    def create(self, task: Task) -> None:
        self.asked.append(task)


def tasks_of(*headers: Mapping[str, str], at: int = NOW) -> list[Task]:
    book = Book()
    app = Application(SETTINGS)
    app.__dict__["tasks"] = book
    for each in headers:
        receive("POST", Headers(dict(each)), app, at)
    return book.asked


@pytest.fixture(scope="module")
def webhook() -> Iterator[FlaskClient]:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {**NEEDED, "CLOUD_TASKS_EMULATOR_HOST": UNREACHABLE, "FUNCTION_TARGET": "webhook"}.items():
            patched.setenv(name, value)
        patched.setenv("FUNCTION_SIGNATURE_TYPE", "http")
        patched.setattr(sys, "path", [*sys.path])
        application.cache_clear()
        yield functions_framework.create_app("webhook", str(ROOT / "functions/webhook/main.py"), "http").test_client()
        application.cache_clear()


class TestItsTask:
    def test_it_is_a_pull_of_the_calendar_that_the_token_names(self) -> None:
        (task,) = tasks_of(GOOD)
        assert (task.kind, task.body["account"], task.body["subject"]) == ("pull", "demo", "5f2b8c")

    def test_no_other_header_names_another_calendar(self) -> None:  # case 7
        (task,) = tasks_of(GOOD | {"X-Goog-Resource-ID": "another", "X-Goog-Resource-URI": "https://example.com/other"})
        assert (task.kind, task.body["account"], task.body["subject"]) == ("pull", "demo", "5f2b8c")

    def test_it_runs_at_the_end_of_the_time_it_stands_for(self) -> None:  # case 15: after the last change of that time
        for moment in (NOW, NOW + 1, NOW + BUCKET - 1):
            (task,) = tasks_of(GOOD, at=moment)
            assert task.not_before_ms == NOW + BUCKET

    def test_all_of_one_moment_share_one(self) -> None:  # cases 3 and 4
        other = {
            "X-Goog-Channel-ID": "channel-2",
            "X-Goog-Channel-Token": channel_token(KEY, "channel-2", CLAIM),
            "X-Goog-Message-Number": "8",
        }
        assert len({task.name for task in tasks_of(GOOD, GOOD, GOOD | other)}) == 1

    def test_the_next_moment_has_one_of_its_own(self) -> None:  # case 18: a name that was used is never needed again
        names = [task.name for at in range(NOW, NOW + 10 * BUCKET, BUCKET) for task in tasks_of(GOOD, at=at)]
        assert len(set(names)) == 10

    def test_another_calendar_has_one_of_its_own(self) -> None:
        claim = ChannelClaim(account="demo", calendar="other", expires=CLAIM.expires)
        other = GOOD | {"X-Goog-Channel-Token": channel_token(KEY, "channel-1", claim)}
        assert len({task.name for task in tasks_of(GOOD, other)}) == 2

    @pytest.mark.parametrize("state", ["exists", "not_exists", "update", "SYNC", "", "a word that is new"])
    def test_every_state_but_sync_means_a_change(self, state: str) -> None:  # case 10
        assert len(tasks_of(GOOD | {"X-Goog-Resource-State": state})) == 1

    def test_no_state_at_all_means_one_too(self) -> None:  # case 10
        assert len(tasks_of({name: value for name, value in GOOD.items() if name != "X-Goog-Resource-State"})) == 1

    def test_a_channel_being_set_up_asks_for_none(self) -> None:  # case 1
        assert tasks_of(GOOD | {"X-Goog-Resource-State": "sync", "X-Goog-Message-Number": "1"}) == []

    @pytest.mark.parametrize(
        ("late_by", "tasks"),
        [(-1, 1), (0, 1), (GRACE_S, 1), (GRACE_S + 1, 0), (10 * GRACE_S, 0)],
        ids=["before the end", "at the end", "within the grace", "just after it", "long after"],
    )
    def test_a_channel_that_ended_is_heard_for_a_while(self, late_by: int, tasks: int) -> None:  # case 8
        assert len(tasks_of(GOOD, at=(CLAIM.expires + late_by) * 1000)) == tasks


class TestItsAnswer:
    @pytest.mark.parametrize(
        "header",
        [
            pytest.param({"X-Goog-Channel-Token": ""}, id="no token"),
            pytest.param({"X-Goog-Channel-Token": "a.b.c.1.e"}, id="nonsense"),
            pytest.param({"X-Goog-Channel-Token": GOOD["X-Goog-Channel-Token"] + "x"}, id="a longer token"),
            pytest.param({"X-Goog-Channel-Token": channel_token(STRANGE, "channel-1", CLAIM)}, id="another's key"),
            pytest.param({"X-Goog-Channel-ID": "channel-2"}, id="another channel's token"),  # case 5
            pytest.param({"X-Goog-Channel-ID": ""}, id="no channel"),
        ],
    )
    def test_what_no_token_proves_is_refused(self, webhook: FlaskClient, header: Mapping[str, str]) -> None:  # case 6
        assert webhook.post("/", headers=GOOD | header).status_code == REFUSED

    def test_success_is_not_promised_where_no_task_can_be_made(self, webhook: FlaskClient) -> None:  # case 13
        answer = webhook.post("/", headers=GOOD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
    def test_only_post_is_a_notification(self, webhook: FlaskClient, method: str) -> None:  # case 12
        answer = webhook.open("/", method=method, headers=GOOD)
        assert (answer.status_code, answer.headers["Allow"]) == (WRONG_METHOD, "POST")

    def test_a_body_is_not_read(self, webhook: FlaskClient) -> None:  # case 12
        body = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(2**40)}
        assert webhook.post("/", headers=GOOD, environ_overrides=body).status_code == TASK_ASKED_FOR

    def test_headers_are_found_whatever_their_case(self, webhook: FlaskClient) -> None:  # case 11
        for written in (str.lower, str.upper, str.title):
            headers = {written(name): value for name, value in GOOD.items()}
            assert webhook.post("/", headers=headers).status_code == TASK_ASKED_FOR

    def test_no_robots_txt_keeps_googles_fetcher_out(self, webhook: FlaskClient) -> None:  # case 22
        """RFC 9309, 2.3.1.3: a robots.txt that is answered with a 4xx other than 429 forbids nothing."""
        assert webhook.get("/robots.txt").status_code == 404

    @given(
        method=st.sampled_from(["POST", "POST", "POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS"]),
        path=st.sampled_from(["/", "/healthz", "/tasks/pull", "/%00", "/a?b=c"]),
        headers=st.dictionaries(
            st.sampled_from([*GOOD, "Content-Type", "Transfer-Encoding", "Content-Length", "X-HTTP-Method-Override"]),
            st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40)
            | st.sampled_from([*GOOD.values(), "sync", "chunked", "-1", "GET"]),
        ),
        body=st.binary(max_size=40),
    )
    def test_nothing_else_ever_comes_of_anything(
        self, webhook: FlaskClient, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> None:  # case 6
        proven = all(headers.get(name) == GOOD[name] for name in ("X-Goog-Channel-ID", "X-Goog-Channel-Token"))
        status = webhook.open(path, method=method, headers=dict(headers), data=body).status_code
        if method != "POST":
            assert status == (200 if (method, path) == ("GET", "/healthz") else WRONG_METHOD)
        elif not proven:
            assert status == REFUSED
        else:
            assert status == (NOTHING_TO_DO if headers.get("X-Goog-Resource-State") == "sync" else TASK_ASKED_FOR)


class Unreadable:
    def read(self, size: int = -1) -> bytes:
        raise AssertionError("somebody reads what nobody needs")

    readline = readinto = read


def test_to_answer_it_loads_neither_a_database_nor_a_calendar() -> None:  # case 14
    code = """
import sys
from tests.adapters.test_webhook import GOOD, NOW, SETTINGS, Application, Headers, receive
assert receive("POST", Headers(GOOD), Application(SETTINGS), NOW).status_code == 503
print("\\n".join(sys.modules))
"""
    done = subprocess.run([sys.executable, "-B", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "google.cloud.tasks_v2" in loaded
    assert {"google.cloud.firestore", "googleapiclient", "pydantic", "dateutil"}.isdisjoint(loaded)


def test_credentials_that_can_not_be_had_are_a_task_that_can_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/at-all.json")
    with pytest.raises(EnqueueFailed, match="DefaultCredentialsError"):  # case 13
        Tasks(read_settings(NEEDED)).create(Task(kind="pull", name="x", body={}))
