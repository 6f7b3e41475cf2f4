"""The key that refresh tokens are sealed with is replaced by another one: what is used moves over by itself, the rest on demand."""

import subprocess
import sys
import time

from infra.local.platform import Platform
from tests.in_process import application_of, worker
from tests.studio import Studio, until

NEXT = "2099:bmV4dCBuZXh0IG5leHQgbmV4dCBuZXh0IG5leHQgISE="


def test_every_connection_moves_to_the_present_key_and_the_older_one_can_go(studio: Studio, platform: Platform) -> None:
    present = platform.configuration.functions_environment["TOKEN_KEYS"]
    (connection,) = studio.look("connections")["connections"]
    document = studio.store.client.document(f"accounts/{studio.account}/connections/{connection['id']}")

    rotated = application_of(platform, TOKEN_KEYS=f"{NEXT},{present}")
    assert worker(rotated, studio).google(connection["id"]).calendar_list()
    assert document.get().get("secret").startswith("2099:")

    environment = {**platform.configuration.functions_environment, "TOKEN_KEYS": f"{present},{NEXT}"}
    lines = [_reseal(environment) for _ in range(2)]
    assert [" 1 sealed anew, " in line for line in lines] == [True, False]
    assert " 0 sealed anew, " in lines[1]
    before = time.time() * 1000
    until(lambda: studio.fresh_since(before), nudge=studio.poll)  # by the functions, which have the one key only
    assert studio.look("connections")["connections"][0]["state"] == "active"


def _reseal(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "functions.sync.reseal"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout
