"""Those who wait: joining, whose turn it is, offers, and leaving.

The laws of the waitlist, each held by `tests/domain/test_waitlist_model.py` unless it says otherwise:

1. A seat that somebody waits for is not for sale. Each session says in its ledger who waits for it by name (`keeping`); the engine reads it there. So
   nobody jumps the line in the moment between a cancellation and the task that serves the line.
2. Whose turn it is follows from the queue alone (`entry.in_order`), and what fits them from the engine alone (`fitting`). There is no third opinion.
3. An offer is a hold. It takes the seats in the same commit, by the same rules, and ends by the same clock (`serving`, `answering`).
4. One turn, one commit, with a precondition on the queue, the ledgers and the session. Who loses the race looks at the line again.
5. Whatever frees a seat or time leaves an effect (`seating.freed_by`); the sweep finds what every effect missed (`tests/system/test_waitlist.py`).
6. Of who was passed over, or waits while something is free, an operator can read why: in their place in the queue, and in the history of their entry.
7. After the cut-off, or once nobody who waits can use it, a seat is anybody's. No seat stays empty because of a rule about who may have it.

Seats that are kept are those of sessions that run. Free time, in which an appointment may begin, and what is waited for as any start of a range, are
offered when they come free, and not closed to others: who books in the second before that was faster.

`preset` the rules, `entry` who waits for what, `snapshot` what a decision is made from, `joining`, `serving` whose turn it is, `answering` what becomes of
an offer, `leaving`; and what these ask: `fitting` what somebody could have, `passing` why it was not for them, `keeping` which seats are closed to
everybody else, `quiet` when nobody is told anything, `foreseeing` who would be served.
"""
