"""The workload program: what it reads, what it prints, and which field it complains of."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.domain.availability.__main__ import main
from functions.domain.availability.workload import questions_of, read_pool
from tests.domain.builders import span

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]

# Monday, 09:00 to 11:00 in Berlin, which is 08:00Z to 10:00Z.
MONDAY: dict[str, Any] = {
    "timezone": "Europe/Berlin",
    "weekly_hours": [{"days": [1], "start": "09:00", "end": "11:00"}],
    "duration_min": 30,
    "slot_step_min": 30,
    "now": "2027-02-22T08:00:00Z",
    "range": ["2027-03-01T00:00:00Z", "2027-03-02T00:00:00Z"],
}
ALL_DAY = [{"days": [1, 2, 3, 4, 5, 6, 7], "start": "00:00", "end": "24:00"}]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the program on a workload (or on text as it is): exit code, standard output, standard error."""

    def running(work: Any, *options: str) -> tuple[int, str, str]:
        path = tmp_path / "workload.json"
        path.write_text(work if isinstance(work, str) else json.dumps(work))
        code = main([str(path), *options])
        return code, *capsys.readouterr()

    return running


def short(output: str) -> str:
    """`2027-03-01T08:00:00.000Z` a line → `08:00`, or with its day where that is not the first of March."""
    ends = ":00.000Z"
    lines = output.splitlines()
    assert all(line.endswith(ends) for line in lines)
    return " ".join(line.removesuffix(ends).removeprefix("2027-03-").removeprefix("01T") for line in lines)


def busy(*pairs: str) -> dict[str, Any]:
    """`08:30:00Z/09:00:00Z` on the first of March; a pair may name other days."""
    full = (tuple(end if end[:4].isdigit() else f"2027-03-01T{end}" for end in pair.split("/")) for pair in pairs)
    return {"busy": list(full)}


def override(*intervals: tuple[str, str], date: str = "2027-03-01") -> dict[str, Any]:
    return {"date": date, "intervals": intervals}


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        pytest.param({}, "08:00 08:30 09:00 09:30", id="nothing but the hours"),
        pytest.param({"slot_step_min": 20}, "08:00 08:20 08:40 09:00 09:20", id="the session must end inside the hours"),
        pytest.param({"weekly_hours": []}, "", id="no hours at all"),
        pytest.param(
            {
                "weekly_hours": [
                    {"days": [2], "start": "09:00", "end": "11:00"},
                    {"days": [7, 1], "start": "13:15", "end": "14:15"},
                ]
            },
            "12:15 12:45",
            id="only the hours of that day, on the grid of their opening",
        ),
        pytest.param(
            {
                "weekly_hours": [
                    {"days": [1], "start": "10:00", "end": "11:00"},
                    {"days": [1], "start": "09:00", "end": "09:30"},
                ]
            },
            "08:00 09:00 09:30",
            id="several intervals a day, in any order",
        ),
        pytest.param(
            {
                "weekly_hours": [{"days": [7], "start": "23:00", "end": "01:30"}],
                "range": ["2027-02-28T23:00Z", "2027-03-01T23:00Z"],
            },
            "2027-02-28T23:00 2027-02-28T23:30 00:00",
            id="Sunday's hours into Monday",
        ),
        pytest.param({"date_overrides": [override(("10:00", "11:00"))]}, "09:00 09:30", id="an override replaces the day"),
        pytest.param(
            {"date_overrides": [override(("15:00", "15:30"), ("10:15", "10:45"))]},
            "09:15 14:00",
            id="by several intervals",
        ),
        pytest.param({"date_overrides": [override()]}, "", id="one without intervals closes it"),
        pytest.param({"date_overrides": [{"date": "2027-03-01"}]}, "", id="also where they are left out"),
        pytest.param(
            {"date_overrides": [override(date="2027-03-08")]}, "08:00 08:30 09:00 09:30", id="one of another day does nothing"
        ),
        pytest.param(
            {"date_overrides": [override(("10:00", "11:00"), date="2027-03-02")], "range": ["2027-03-02T00:00Z", "2027-03-03T00:00Z"]},
            "02T09:00 02T09:30",
            id="an override opens a day that is closed in the week",
        ),
    ],
)  # fmt: skip
def test_hours(run: Run, changed: dict[str, Any], starts: str) -> None:
    assert short(run(MONDAY | changed)[1]) == starts


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        pytest.param(busy("08:30:00Z/09:00:00Z"), "08:00 09:00 09:30", id="half-open on both sides"),
        pytest.param(busy("09:30:00+01:00/10:00:00+01:00"), "08:00 09:00 09:30", id="an offset instead of Z"),
        pytest.param(busy("08:29:59Z/08:30:00Z"), "08:30 09:00 09:30", id="seconds of a start round down"),
        pytest.param(busy("08:30:00Z/09:00:00.001Z"), "08:00 09:30", id="the smallest fraction of an end rounds up"),
        pytest.param(busy("08:45:30Z/08:45:30Z"), "08:00 08:30 09:00 09:30", id="what has no length blocks nothing"),
        pytest.param(busy("09:00:00Z/08:30:00Z"), "08:00 08:30 09:00 09:30", id="nor does what ends before it starts"),
        pytest.param(
            busy("2027-02-27T08:00Z/08:31Z", "09:40Z/2027-04-02T00:00Z"), "09:00", id="that lasts over months"
        ),
        pytest.param(busy("0001-01-01T00:00Z/08:30Z", "09:30Z/9999-12-31T23:59Z"), "08:30 09:00", id="for ever"),
        pytest.param(
            busy("09:10Z/09:15Z", "08:10Z/08:20Z", "09:05Z/09:20Z"), "08:30 09:30", id="in no order, overlapping"
        ),
        pytest.param(
            busy("08:30Z/09:00Z") | {"buffer_before_min": 1},
            "08:00 09:30",
            id="a buffer before the session must be free",
        ),
        pytest.param(busy("08:30Z/09:00Z") | {"buffer_after_min": 1}, "09:00 09:30", id="and one after it"),
        pytest.param(
            busy("10:00Z/10:30Z", "07:00Z/08:00Z") | {"buffer_before_min": 5, "buffer_after_min": 5},
            "08:30 09:00",
            id="also outside the hours",
        ),
    ],
)
def test_busy(run: Run, changed: dict[str, Any], starts: str) -> None:
    assert short(run(MONDAY | changed)[1]) == starts


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        pytest.param({"range": ["2027-03-01T08:30Z", "2027-03-01T09:30Z"]}, "08:30 09:00", id="of starts, half-open"),
        pytest.param({"range": ["2027-03-01T08:00:00.5Z", "2027-03-01T09:00Z"]}, "08:30", id="from a fraction on: the next minute"),
        pytest.param({"range": ["2027-03-01T08:30Z", "2027-03-01T09:00:01Z"]}, "08:30 09:00", id="a start before its fraction is in"),
        pytest.param({"range": ["2027-03-01T08:30Z", "2027-03-01T08:30Z"]}, "", id="empty"),
        pytest.param({"range": ["2027-03-01T10:00+01:00", "2027-03-01T04:00-05:00"]}, "", id="the same instant, two offsets"),
        pytest.param({"now": "2027-03-01T08:30:00Z"}, "08:30 09:00 09:30", id="what is past is not offered"),
        pytest.param({"now": "2027-03-01T08:30:00.001Z"}, "09:00 09:30", id="by a millisecond"),
        pytest.param({"now": "2027-03-01T08:30:01Z", "min_notice_min": 30}, "09:30", id="nor what is too soon"),
        pytest.param({"now": "2020-01-01T00:00:00Z"}, "08:00 08:30 09:00 09:30", id="however far ahead: no window"),
    ],
)  # fmt: skip
def test_range_and_notice(run: Run, changed: dict[str, Any], starts: str) -> None:
    assert short(run(MONDAY | changed)[1]) == starts


@pytest.mark.parametrize(
    ("between", "block", "starts"),
    [
        pytest.param(
            ["2027-03-31T23:00Z", "2027-04-01T00:00Z"],
            ["2027-04-01T00:10Z", "2027-04-01T00:20Z"],
            "31T23:00",
            id="after the end of the range and of its month",
        ),
        pytest.param(
            ["2027-03-31T23:00Z", "2027-04-01T00:00Z"],
            ["2027-04-01T00:24Z", "2027-04-01T00:25Z"],
            "31T23:00",
            id="in the buffer of the last start",
        ),
        pytest.param(
            ["2027-03-31T23:00Z", "2027-04-01T00:00Z"],
            ["2027-04-01T00:25Z", "2027-04-01T01:00Z"],
            "31T23:00 31T23:30",
            id="not in the way there",
        ),
        pytest.param(
            ["2027-03-01T00:00Z", "2027-03-01T01:00Z"],
            ["2027-02-28T23:40Z", "2027-02-28T23:50Z"],
            "00:30",
            id="before the range and its month",
        ),
    ],
)
def test_busy_time_around_the_range(run: Run, between: list[str], block: list[str], starts: str) -> None:
    lengths = {"duration_min": 45, "buffer_before_min": 15, "buffer_after_min": 10}
    around = {"weekly_hours": ALL_DAY, "timezone": "UTC", **lengths}
    assert short(run(MONDAY | around | {"range": between, "busy": [block]})[1]) == starts


def test_the_ledger_is_as_the_store_gives_it() -> None:
    """The months that the range touches with a session and its buffers, and in each of them the blocks that touch it."""
    blocks = [["2027-03-31T23:00Z", "2027-04-01T01:00Z"], ["2027-02-10T00:00Z", "2027-05-02T00:00Z"]]
    work = MONDAY | {"range": ["2027-03-01T00:00Z", "2027-04-30T23:45Z"], "busy": blocks}
    (asked,) = questions_of(read_pool(json.dumps(work).encode()))
    night, spring = span(*blocks[0]), span(*blocks[1])
    months = asked.question.states[0].months
    assert {month.month: [block for (block,) in month.blocks["busy"].values()] for month in months} == {
        "2027-03": [night, spring],
        "2027-04": [night, spring],
        "2027-05": [spring],
    }


def test_the_day_on_which_the_clock_goes_forward(run: Run) -> None:
    night = {
        "weekly_hours": [{"days": [7], "start": "01:00", "end": "04:00"}],
        "range": ["2027-03-28T00:00Z", "2027-03-29T00:00Z"],
    }
    assert short(run(MONDAY | night)[1]) == "28T00:00 28T00:30 28T01:00 28T01:30"


class TestPool:
    """A list of workloads: the union of what each offers by its own rules."""

    def test_each_has_its_own_hours_zone_and_busy_time(self, run: Run) -> None:
        members = [
            MONDAY | busy("08:30Z/10:00Z"),
            MONDAY | busy("08:00Z/09:00Z"),
            MONDAY | {"timezone": "Europe/London"},
        ]
        assert short(run(members)[1]) == "08:00 09:00 09:30 10:00 10:30"
        assert short(run(members[:2])[1]) == "08:00 09:00 09:30"

    @pytest.mark.parametrize(
        ("changed", "starts"),
        [
            ({"duration_min": 120}, "08:00"),
            ({"slot_step_min": 50}, "08:00 08:50"),
            ({"buffer_before_min": 10}, "08:30 09:00 09:30"),
            ({"buffer_after_min": 10}, "08:00 08:30 09:00"),
            ({"min_notice_min": 10150}, "09:30"),
            ({"now": "2027-03-01T08:45:00Z"}, "09:00 09:30"),
            ({"range": ["2027-03-01T09:00:00Z", "2027-03-01T09:30:00Z"]}, "09:00"),
        ],
    )
    def test_and_its_own_service(self, run: Run, changed: dict[str, Any], starts: str) -> None:
        around = busy("07:00Z/08:00Z", "10:00Z/11:00Z")
        closed = MONDAY | {"weekly_hours": []}
        assert short(run([closed, MONDAY | around | changed])[1]) == starts
        assert short(run([MONDAY | around | changed, closed])[1]) == starts
        assert short(run([MONDAY, MONDAY | around | changed])[1]).count("08:30") == 1

    def test_a_pool_of_one_and_of_none(self, run: Run) -> None:
        assert run([MONDAY]) == run(MONDAY)
        assert run([]) == (0, "", "")

    def test_a_pool_larger_than_a_service_may_be(self, run: Run) -> None:
        full = MONDAY | busy("08:00Z/10:00Z")
        members = [full] * 49 + [MONDAY | busy("08:30Z/10:00Z")] + [full] * 70 + [MONDAY | busy("08:00Z/09:30Z")]
        assert short(run(members)[1]) == "08:00 09:30"


class TestWhatItPrints:
    def test_starts_as_utc_instants_one_a_line(self, run: Run) -> None:
        assert run(MONDAY | {"duration_min": 90}) == (0, "2027-03-01T08:00:00.000Z\n2027-03-01T08:30:00.000Z\n", "")

    @pytest.mark.parametrize("work", [MONDAY, [MONDAY, MONDAY | {"duration_min": 60}], []], ids=["one", "pool", "none"])
    def test_with_bench_nothing_but_the_median_in_milliseconds(self, run: Run, work: Any) -> None:
        code, out, err = run(work, "--bench", "3")
        assert (code, out.count("\n"), err) == (0, 1, "")
        assert 0 <= float(out) < 60_000

    def test_as_a_program(self, tmp_path: Path) -> None:
        path = tmp_path / "workload.json"
        path.write_text(json.dumps(MONDAY | {"duration_min": 120}))
        program = [sys.executable, "-m", "functions.domain.availability", str(path)]
        done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("2027-03-01T08:00:00.000Z\n", "")

    def test_a_field_that_means_nothing_is_named_but_harmless(self, run: Run) -> None:
        code, out, err = run([MONDAY | {"name": "Anna"}, MONDAY | {"buffer_after": 5}])
        assert (code, short(out)) == (0, "08:00 08:30 09:00 09:30")
        assert "buffer_after, name" in err


class TestBadInput:
    """Exit code 2, nothing on the standard output, and the field by name."""

    @pytest.mark.parametrize(
        ("changed", "complaint"),
        [
            ({"timezone": "Europe/Atlantis"}, "timezone: 'Europe/Atlantis' is not a zone"),
            ({"weekly_hours": [{"days": [0], "start": "09:00", "end": "10:00"}]}, "weekly_hours[0].days[0]: "),
            ({"weekly_hours": [{"days": [1], "start": "9:00", "end": "10:00"}]}, "weekly_hours[0].start: '9:00'"),
            ({"weekly_hours": [{"days": [1], "start": "09:00"}]}, "weekly_hours[0].end: "),
            ({"date_overrides": [{"date": "2027-02-30"}]}, "date_overrides[0].date: "),
            ({"date_overrides": [override(("10:00", "25:00"))]}, "date_overrides[0].intervals[0][1]: '25:00'"),
            (
                {"date_overrides": [override(), override(("10:00", "11:00"))]},
                "date_overrides: 2027-03-01 is named twice",
            ),
            ({"duration_min": 0}, "duration_min: "),
            ({"duration_min": "30"}, "duration_min: "),
            ({"duration_min": 7.5}, "duration_min: "),
            ({"slot_step_min": 0}, "slot_step_min: "),
            ({"buffer_before_min": -1}, "buffer_before_min: "),
            ({"buffer_after_min": None}, "buffer_after_min: "),
            ({"min_notice_min": -5}, "min_notice_min: "),
            ({"now": "2027-03-01T08:00:00"}, "now: '2027-03-01T08:00:00' is not an instant with an offset"),
            ({"now": 1803888000}, "now: 1803888000 is not an instant"),
            ({"now": "9999-12-31T00:00:00Z"}, "now: the year 9999"),
            ({"range": ["2027-03-01T00:00:00Z"]}, "range[1]: "),
            ({"range": ["2027-03-02T00:00:00Z", "2027-03-01T00:00:00Z"]}, "range: it ends before it starts"),
            ({"range": ["2027-03-01", "2027-03-02T00:00:00Z"]}, "range[0]: '2027-03-01' is not an instant"),
            ({"busy": [["2027-03-01T00:00:00Z", "soon"]]}, "busy[0][1]: 'soon' is not an instant"),
        ],
        ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
    )
    def test_a_wrong_field(self, run: Run, changed: dict[str, Any], complaint: str) -> None:
        code, out, err = run(MONDAY | changed)
        assert (code, out) == (2, "")
        assert f"workload.json: {complaint}" in err
        assert f"workload.json: [1].{complaint}" in run([MONDAY, MONDAY | changed])[2]

    @pytest.mark.parametrize("field", ["timezone", "weekly_hours", "duration_min", "slot_step_min", "now", "range"])
    def test_a_missing_field(self, run: Run, field: str) -> None:
        code, out, err = run({name: value for name, value in MONDAY.items() if name != field})
        assert (code, out) == (2, "")
        assert f"{field}: Field required" in err

    def test_every_wrong_field_is_named(self, run: Run) -> None:
        err = run(MONDAY | {"duration_min": 0, "now": "soon"})[2]
        assert "duration_min: " in err
        assert "now: " in err

    @pytest.mark.parametrize("text", ["", "{", "3", '"text"', "[3]", "\x00"])
    def test_no_workload_at_all(self, run: Run, text: str) -> None:
        code, out, err = run(text)
        assert (code, out) == (2, "")
        assert "workload.json: " in err

    def test_no_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([str(tmp_path / "absent.json")]) == 2
        assert "absent.json: No such file or directory" in capsys.readouterr().err

    @pytest.mark.parametrize("count", ["0", "-1", "many", ""])
    def test_a_number_of_repetitions_that_is_none(
        self, run: Run, capsys: pytest.CaptureFixture[str], count: str
    ) -> None:
        with pytest.raises(SystemExit) as left:
            run(MONDAY, "--bench", count)
        assert left.value.code == 2
        assert "--bench" in capsys.readouterr().err
