"""Several decisions as one commit: each was made on the state that those before it leave."""

from functions.domain.decision import Decision, Effect, HistoryEntry, Ref, in_one_commit
from functions.domain.ledger import LedgerTouch, enter, leave
from functions.domain.session import Booking, ClientGuard
from tests.domain.builders import BY_CLIENT, apply, booking, contents, rebuilt, session

FIRST, SECOND = session(seats={"a": 1}), session(seats={"a": 1, "b": 1})
PUSH = Effect(kind="push", subject=FIRST.id)


def test_of_what_both_write_the_last_state_counts() -> None:
    other = booking(id="b", session=FIRST.id)
    made = in_one_commit(
        [
            Decision(answer=1, documents=(FIRST,), changes=enter(["anna"], FIRST.occupation)),
            Decision(answer=2, documents=(SECOND, other), changes=enter(["anna"], SECOND.occupation)),
        ],
        "both",
    )
    assert made.answer == "both"
    assert made.documents == (SECOND, other)
    assert apply({}, made.changes) == rebuilt(SECOND)


def test_documents_of_different_kinds_may_have_one_id() -> None:
    same = booking(id=FIRST.id)
    made = in_one_commit([Decision(answer=None, documents=(FIRST,)), Decision(answer=None, documents=(same,))], None)
    assert made.documents == (FIRST, same)


def test_what_one_enters_and_the_next_leaves_is_gone() -> None:
    entered = Decision(answer=None, changes=enter(["anna"], FIRST.occupation))
    left = Decision(answer=None, changes=leave(["anna"], FIRST.occupation))
    assert contents(apply({}, in_one_commit([entered, left], None).changes)) == {}


def test_everything_of_each_is_in_it_once_and_in_order() -> None:
    guard, touch, gone = Ref(ClientGuard, "kim"), LedgerTouch(resource="anna", month="2027-03"), Ref(Booking, "old")
    entries = [HistoryEntry(what=what, author=BY_CLIENT) for what in ("first", "second")]
    told = [Effect(kind="notify", subject=name, about="moved") for name in ("a", "b")]
    made = in_one_commit(
        [
            Decision(
                answer=None,
                guards=(guard,),
                touches=(touch,),
                deletions=(gone,),
                history=(entry,),
                effects=(PUSH, effect),
            )
            for entry, effect in zip(entries, told, strict=True)
        ],
        None,
    )
    assert (made.guards, made.touches, made.deletions) == ((guard,), (touch,), (gone,))
    assert made.history == tuple(entries)
    assert made.effects == (PUSH, *told)


def test_of_nothing_it_writes_nothing() -> None:
    assert in_one_commit([], None).writes_nothing
