"""Those who wait: joining, whose turn it is, offers, and leaving.

The laws of the waitlist, each held by `tests/domain/test_waitlist_model.py` unless it says otherwise:

1. A seat that somebody waits for is not for sale. Each session says in its ledger who waits for it by name (`keeping`); the engine reads it there. So
   nobody jumps the line in the moment between a cancellation and the task that serves the line.
2. Whose turn it is follows from the queue alone (`entry.in_order`), and what fits them from the engine alone (`fitting`). There is no third opinion.
3. An offer is a hold. It takes the seats in the same commit, by the same rules, and ends by the same clock (`serving`, `answering`).
4. One turn, one commit, with a precondition on the queue, the ledgers and the session. Who loses the race looks at the line again.
5. Whatever frees a seat or time leaves an effect (`seating.freed_by`); the sweep finds what every effect missed (`tests/system/test_waitlist.py`).
6. Who was passed over can read why: in the history of the turn, and in their place in the queue.
7. After the cut-off, or once nobody who waits can use it, a seat is anybody's. No seat stays empty because of a rule about who may have it.

A start that is waited for without a session (any free hour on a date) is not kept closed to others: it is offered when it comes free, and who books it
in the second before that was faster. `preset` are the rules, `entry` the documents, `snapshot` what a decision reads.
"""
