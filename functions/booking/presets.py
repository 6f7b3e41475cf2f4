"""Waitlist presets: named rules that operators make, for services and single sessions to name."""

from pydantic import Field

from functions.adapters.store import queries
from functions.adapters.store.account import account_of
from functions.adapters.store.documents import ACCOUNT
from functions.adapters.store.store import Reader
from functions.booking.fields import Label, Line
from functions.booking.routing import Answer, Call, Route
from functions.booking.waiting_rules import decided_anew
from functions.domain.decision import Decision, HistoryEntry, Ref, in_one_commit
from functions.domain.errors import NotFound
from functions.domain.model import Model
from functions.domain.waitlist.preset import Preset, PresetRules


class PresetBody(PresetRules, extra="forbid"):
    """The whole of a preset."""

    name: Line
    levels: tuple[Label, ...] = Field(default=(), max_length=20)
    categories: tuple[Label, ...] = Field(default=(), max_length=20)


class PresetList(Model):
    presets: list[Preset]


def put_preset(call: Call) -> Answer:
    """Makes a preset, or gives it other rules. Holds from now on for every service and session that names it; who waits there is looked at again."""
    preset = Preset(id=call.ids["preset"], **call.body(PresetBody).model_dump())
    store = call.application.store

    def attempt(reader: Reader) -> Decision[Preset]:
        reader.load(ACCOUNT, Ref(Preset, preset.id))
        account_of(reader)
        known = reader.get(Ref(Preset, preset.id))
        entry = HistoryEntry(
            what="preset.changed" if known else "preset.created",
            author=call.caller.author,
            before={"preset": known.model_dump(mode="json")} if known else {},
            after={"preset": preset.model_dump(mode="json")},
        )
        put = Decision(answer=preset, documents=(preset,), history=(entry,))
        return in_one_commit((put, decided_anew(reader, store)), preset)

    return Answer(body=store.run(call.account, attempt))


def get_preset(call: Call) -> Answer:
    """A waitlist preset."""
    preset = call.application.store.get(call.account, Ref(Preset, call.ids["preset"]))
    if preset is None:
        raise NotFound("There is no such preset.")
    return Answer(body=preset)


def list_presets(call: Call) -> Answer:
    """The waitlist presets."""
    found: list[Preset] = queries.all_of(call.application.store, call.account, Preset)
    return Answer(body=PresetList(presets=found))


_ACCOUNT = "/v1/accounts/<id:account>"

ROUTES = (
    Route(method="GET", path=f"{_ACCOUNT}/presets", handler=list_presets, access="operator", answer=PresetList),
    Route(method="GET", path=f"{_ACCOUNT}/presets/<id:preset>", handler=get_preset, access="operator", answer=Preset),
    Route(
        method="PUT",
        path=f"{_ACCOUNT}/presets/<id:preset>",
        handler=put_preset,
        access="operator",
        permission="settings",
        body=PresetBody,
        answer=Preset,
    ),
)
