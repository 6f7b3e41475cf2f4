"""What follows for all who wait in an account when rules change by which is decided about them."""

from functions.adapters.store import queries
from functions.adapters.store.store import Reader, Store
from functions.domain.decision import Decision, Effect, Ref
from functions.domain.waitlist.entry import Queue


def decided_anew(reader: Reader, store: Store) -> Decision[None]:
    """Whatever was decided about a queue by the rules as they were fails from this commit on, and who waits is looked at again."""
    # Every decision about somebody who waits writes the queue, so that it is the queue that is held here, and not the rules there: those are shared by
    # many lines, which would get into each other's way. Any service may have a session that names the preset.
    services = queries.services(store, reader.account)
    refs = [Ref(Queue, service.id) for service in services]
    reader.load(*refs)
    known = {ref.id for ref in refs if reader.get(ref) is not None}
    waited_for = [service.id for service in services if service.on_full == "waitlist"]
    return Decision(
        answer=None,
        # A queue that begins meanwhile is not there to be held: so it begins here.
        documents=tuple(Queue(id=name) for name in waited_for if name not in known),
        guards=tuple(ref for ref in refs if ref.id in known),
        effects=tuple(Effect(kind="promote", subject=name) for name in waited_for),
    )
