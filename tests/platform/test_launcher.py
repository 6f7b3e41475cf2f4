"""The launcher: what starts really answers, what fails is named, and nobody is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.addresses import NotRunning, running_addresses
from infra.local.configuration import ConfigurationError
from infra.local.guardian import ROOT
from infra.local.platform import Platform
from infra.local.ports import HOST, Ports, in_use
from infra.local.supervisor import AlreadyRunning, PartFailed
from infra.local.waiting import wait_until
from tests.platform.launched import READY_WITHIN_SECONDS, Sandbox

pytest_plugins = ["tests.platform.launched_fixtures"]

# Starting and failing to start


def test_parts_start_answer_and_stop(sandbox: Sandbox) -> None:
    ready: list[str] = []
    with sandbox.supervisor(sandbox.stub("google"), sandbox.stub("mail")) as supervisor:
        supervisor.start(on_ready=lambda part: ready.append(part.name))

        assert sorted(ready) == ["google", "mail"]
        assert in_use(sandbox.ports.google)

    sandbox.wait_until_nobody_is_left()


def test_a_part_waits_for_those_it_comes_after(sandbox: Sandbox) -> None:
    ready: list[str] = []
    with sandbox.supervisor(
        sandbox.stub("tasks", after=("sync", "not-started-here")), sandbox.stub("sync")
    ) as supervisor:
        supervisor.start(on_ready=lambda part: ready.append(part.name))

    assert ready == ["sync", "tasks"]


def test_a_part_that_dies_at_once_is_reported_with_its_last_lines_and_nobody_is_left(sandbox: Sandbox) -> None:
    supervisor = sandbox.supervisor(sandbox.stub("mail"), sandbox.stub("google", "dies"))

    with pytest.raises(PartFailed, match=r"google ended with exit code 7(.|\n)*the last thing it said"):
        supervisor.start()

    sandbox.wait_until_nobody_is_left()


def test_a_part_that_never_answers_is_given_up_with_a_clear_message(sandbox: Sandbox) -> None:
    supervisor = sandbox.supervisor(sandbox.stub("mail"), sandbox.stub("google", "never-ready", ready_within=0.5))

    with pytest.raises(PartFailed, match=r"google was not ready within 0.5 s \(http://\S+ did not answer 200\)"):
        supervisor.start()

    sandbox.wait_until_nobody_is_left()


def test_a_part_that_dies_later_is_reported(sandbox: Sandbox) -> None:
    with sandbox.supervisor(sandbox.stub("mail"), sandbox.stub("google")) as supervisor:
        supervisor.start()
        supervisor.check()

        os.kill(supervisor.pids["google"], signal.SIGKILL)

        def noticed() -> str | None:
            try:
                supervisor.check()
            except PartFailed as failure:
                return str(failure)
            return None

        message = wait_until(noticed, within=5, what="the death was noticed")
        assert message.startswith("google was ended by signal 9")
        assert "google started" in message


# Stopping


def test_parts_stop_stage_by_stage(sandbox: Sandbox) -> None:
    parts = [
        sandbox.stub("firestore", stop_stage=3),
        sandbox.stub("tasks", stop_stage=1),
        sandbox.stub("sync", stop_stage=0),
    ]
    supervisor = sandbox.supervisor(*parts)
    supervisor.start()

    assert supervisor.stop() == []

    assert (sandbox.directory / "order").read_text().split() == ["sync", "tasks", "firestore"]


def test_a_part_that_ignores_sigterm_is_killed_and_named(sandbox: Sandbox) -> None:
    supervisor = sandbox.supervisor(sandbox.stub("mail"), sandbox.stub("google", "ignores-sigterm", stopped_within=0.5))
    supervisor.start()

    assert supervisor.stop() == ["google"]

    assert not sandbox.processes()


def test_what_a_part_leaves_behind_is_killed_with_it(sandbox: Sandbox) -> None:
    supervisor = sandbox.supervisor(sandbox.stub("google", "has-a-stubborn-child", stopped_within=0.5))
    supervisor.start()
    assert len(sandbox.processes()) == 2

    supervisor.stop()

    assert not sandbox.processes()


def test_one_supervisor_at_a_time_has_a_directory(sandbox: Sandbox) -> None:
    with sandbox.supervisor(sandbox.stub("mail")) as first:
        first.start()

        with pytest.raises(AlreadyRunning):
            sandbox.supervisor(sandbox.stub("google")).start()

        first.check()


# The program


def test_a_port_in_use_is_named_with_its_part_before_anything_starts(sandbox: Sandbox) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, sandbox.ports.smtp))
        listener.listen()

        launched = sandbox.launch("run", "--parts", "mail,google")

        assert launched.exit_code() == 3
    assert f"port {sandbox.ports.smtp} is in use (needed by mail)" in launched.text
    assert "--port-smtp" in launched.text
    assert "LOCAL_PORT_SMTP" in launched.text
    assert not (launched.directory / "logs").exists()
    assert not sandbox.processes()


def test_ports_move_by_option_before_variable(sandbox: Sandbox) -> None:
    other = Ports.free()
    launched = sandbox.launch("run", "--parts", "mail", "--port-mail", str(other.mail))
    launched.wait_until_ready()

    assert running_addresses(launched.directory).mail == f"http://{HOST}:{other.mail}"
    assert in_use(other.mail)
    assert not in_use(sandbox.ports.mail)
    assert in_use(sandbox.ports.smtp)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["--port-mail", "many"], {}, "LOCAL_PORT_MAIL=many is not a port"),
        ([], {"LOCAL_PORT_MAIL": "70000"}, "LOCAL_PORT_MAIL=70000 is not a port"),
        (["--parts", "mail,fax"], {}, "no such part: fax"),
        ([], {"GOOGLE_CLIENT_ID": "id"}, "GOOGLE_CLIENT_SECRET"),
    ],
)
def test_what_can_not_be_done_is_said(
    sandbox: Sandbox, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    launched = sandbox.launch("run", *arguments, environment=environment)

    assert launched.exit_code() == 2
    assert said in launched.text
    assert "Traceback" not in launched.text


def test_addresses_json_names_what_runs_and_only_its_owner_reads_it(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run", "--parts", "mail")
    launched.wait_until_ready()

    file = launched.directory / "addresses.json"
    addresses = json.loads(file.read_text())

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((launched.directory / "secrets.json").stat().st_mode) == 0o600
    ports = sandbox.ports
    assert addresses["running"] is True
    assert addresses["pid"] == launched.process.pid
    assert addresses["project"] == "booking-local"
    assert {name: addresses[name] for name in ("booking", "webhook", "sync", "google", "mail", "tasks_http")} == {
        name: f"http://{HOST}:{getattr(ports, name)}"
        for name in ("booking", "webhook", "sync", "google", "mail", "tasks_http")
    }
    assert addresses["tasks"] == f"{HOST}:{ports.tasks}"
    assert addresses["firestore"] == f"{HOST}:{ports.firestore}"
    assert addresses["smtp"] == f"smtp://{HOST}:{ports.smtp}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_being_asked_to_stop_leaves_no_process_and_exit_code_0(sandbox: Sandbox, number: signal.Signals) -> None:
    launched = sandbox.launch("run", "--parts", "mail,google")
    launched.wait_until_ready()
    assert len(sandbox.processes()) >= 4

    launched.process.send_signal(number)

    assert launched.exit_code() == 0
    assert not sandbox.processes()
    assert json.loads((launched.directory / "addresses.json").read_text())["running"] is False
    with pytest.raises(NotRunning):
        running_addresses(launched.directory)


def test_a_second_ctrl_c_does_no_harm(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run", "--parts", "mail,google")
    launched.wait_until_ready()

    launched.process.send_signal(signal.SIGINT)
    launched.wait_for("Stopping")
    while launched.process.poll() is None:
        launched.process.send_signal(signal.SIGINT)
        time.sleep(0.01)

    assert launched.exit_code() == 0
    assert not sandbox.processes()


def test_a_launcher_that_is_killed_leaves_nobody(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run", "--parts", "mail,google")
    launched.wait_until_ready()

    launched.process.kill()

    assert launched.exit_code() == -signal.SIGKILL
    sandbox.wait_until_nobody_is_left()
    # A process that ends loses its environment, by which it is known here, a moment before it lets go of its files.
    sandbox.wait_until(lambda: not _runs(launched.directory))


def _runs(directory: Path) -> bool:
    try:
        running_addresses(directory)
    except NotRunning:
        return False
    return True


def test_the_launcher_can_end_with_the_program_that_started_it(sandbox: Sandbox) -> None:
    script = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-m', 'infra.local', 'run', '--parts', 'mail', '--stop-with-parent'])\n"
        "time.sleep(600)\n"
    )
    directory = sandbox.directory / "run"
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=sandbox.environment,
        stdout=subprocess.DEVNULL,
    )
    wait_until((directory / "addresses.json").exists, within=READY_WITHIN_SECONDS, what="the platform ran")

    parent.kill()
    parent.wait()

    sandbox.wait_until_nobody_is_left()
    assert json.loads((directory / "addresses.json").read_text())["running"] is False


def test_a_part_that_dies_ends_the_run_with_its_name_and_a_failure(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run", "--parts", "mail,google")
    launched.wait_until_ready()
    [mail] = [pid for pid, command in sandbox.processes().items() if "infra.local.mail" in command]

    os.kill(mail, signal.SIGKILL)

    assert launched.exit_code() == 1
    assert "mail was ended by signal 9" in launched.text
    assert "mail sink ready" in launched.text.partition("was ended by signal")[2]
    assert not sandbox.processes()


def test_a_closed_pipe_on_standard_output_stops_the_run(sandbox: Sandbox) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "run", "--parts", "mail"],
        cwd=ROOT,
        env=sandbox.environment,
        stdout=writing,
    )
    os.close(writing)
    os.read(reading, 1)

    os.close(reading)

    assert process.wait(timeout=READY_WITHIN_SECONDS) == 0
    assert not sandbox.processes()


def test_a_second_run_in_the_same_directory_and_a_clean_are_refused(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run", "--parts", "mail")
    launched.wait_until_ready()

    second = sandbox.launch("run", "--parts", "mail")
    assert second.exit_code() == 2
    assert "in use" in second.text
    clean = sandbox.launch("clean")
    assert clean.exit_code() == 2
    assert running_addresses(launched.directory).running

    assert launched.stop() == 0
    assert sandbox.launch("clean").exit_code() == 0
    assert not launched.directory.exists()


def test_clean_deletes_no_folder_that_is_not_the_platforms(sandbox: Sandbox) -> None:
    (sandbox.directory / "run").mkdir()
    (sandbox.directory / "run" / "thesis.txt").write_text("years of work")

    assert sandbox.launch("clean").exit_code() == 2

    assert (sandbox.directory / "run" / "thesis.txt").exists()


def test_logs_and_output_hold_no_secret(sandbox: Sandbox) -> None:
    launched = sandbox.launch("run", "--parts", "mail,google,tasks")
    launched.wait_until_ready()
    launched.stop()

    secrets = json.loads((launched.directory / "secrets.json").read_text())
    hidden = [secrets[name] for name in ("client_secret", "signing_keys", "token_keys", "google_password")]

    assert [value for value in hidden if value in launched.text + launched.logs()] == []


# Whose Google, whose Firestore


def test_the_stand_in_is_used_where_nothing_else_is_named(sandbox: Sandbox) -> None:
    platform = Platform(sandbox.configuration())

    assert platform.runs("firestore", "google", "mail", "booking", "webhook", "sync", "tasks")
    settings = platform.configuration.functions_environment
    assert settings["GOOGLE_CALENDAR_ENDPOINT"] == f"http://{HOST}:{sandbox.ports.google}/calendar/v3/"
    assert settings["GOOGLE_OAUTH_TOKEN_URL"] == f"http://{HOST}:{sandbox.ports.google}/token"


def test_with_an_oauth_client_the_real_google_is_used_and_the_stand_in_not_started(sandbox: Sandbox) -> None:
    platform = Platform(sandbox.configuration(GOOGLE_CLIENT_ID="mine", GOOGLE_CLIENT_SECRET="hush"))

    assert not platform.runs("google")
    settings = platform.configuration.functions_environment
    assert {name: value for name, value in settings.items() if name.startswith("GOOGLE_")} == {
        "GOOGLE_CLOUD_PROJECT": "booking-local",
        "GOOGLE_CALENDAR_ENDPOINT": "https://www.googleapis.com/calendar/v3/",
        "GOOGLE_OAUTH_AUTHORIZE_URL": "https://accounts.google.com/o/oauth2/v2/auth",
        "GOOGLE_OAUTH_TOKEN_URL": "https://oauth2.googleapis.com/token",
        "GOOGLE_OAUTH_REVOKE_URL": "https://oauth2.googleapis.com/revoke",
        "GOOGLE_OAUTH_CERTS_URL": "https://www.googleapis.com/oauth2/v1/certs",
        "GOOGLE_CLIENT_ID": "mine",
        "GOOGLE_CLIENT_SECRET": "hush",
    }


def test_an_outside_calendar_endpoint_is_used_with_its_oauth_addresses(sandbox: Sandbox) -> None:
    outside = {
        "GOOGLE_CALENDAR_ENDPOINT": "http://127.0.0.1:9/calendar/v3/",
        "GOOGLE_OAUTH_AUTHORIZE_URL": "http://127.0.0.1:9/auth",
        "GOOGLE_OAUTH_TOKEN_URL": "http://127.0.0.1:9/token",
        "GOOGLE_OAUTH_REVOKE_URL": "http://127.0.0.1:9/revoke",
        "GOOGLE_OAUTH_CERTS_URL": "http://127.0.0.1:9/certs",
    }
    platform = Platform(sandbox.configuration(**outside))

    assert not platform.runs("google")
    assert outside.items() <= platform.configuration.functions_environment.items()


def test_an_outside_firestore_is_not_started(sandbox: Sandbox) -> None:
    platform = Platform(sandbox.configuration(FIRESTORE_EMULATOR_HOST="127.0.0.1:9"))

    assert not platform.runs("firestore")
    assert platform.addresses.firestore == "127.0.0.1:9"
    assert platform.configuration.functions_environment["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:9"


def test_half_an_oauth_client_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="GOOGLE_CLIENT_SECRET"):
        sandbox.configuration(GOOGLE_CLIENT_ID="mine")


def test_settings_from_the_environment_reach_the_functions_and_secrets_stay_between_runs(sandbox: Sandbox) -> None:
    first = sandbox.configuration(POLL_WATCHED_SECONDS="5", WEBHOOK_URL="https://hooks.example").functions_environment
    second = sandbox.configuration().functions_environment

    assert first["POLL_WATCHED_SECONDS"] == "5"
    assert first["WEBHOOK_URL"] == "https://hooks.example"
    assert second["WEBHOOK_URL"] == f"http://{HOST}:{sandbox.ports.webhook}"
    assert first["SIGNING_KEYS"] == second["SIGNING_KEYS"]


def test_a_stray_setting_of_the_framework_is_not_inherited(sandbox: Sandbox) -> None:
    settings = sandbox.configuration(DEBUG="1", FUNCTION_TARGET="other", HTTP_PROXY="http://proxy.example")

    assert not {"DEBUG", "FUNCTION_TARGET"} & settings.functions_environment.keys()
    assert settings.functions_environment["NO_PROXY"] == "127.0.0.1,localhost"
