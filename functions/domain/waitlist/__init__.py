"""Those who wait: joining, whose turn it is, offers, and leaving. Every decision is made for one commit, from one reading.

`preset` the rules, `entry` who waits for what, `snapshot` what a decision is made from, `joining`, `serving` whose turn it is, `answering` what becomes of
an offer, `leaving`; and what these ask: `fitting` what somebody could have, `passing` why it was not for them, `keeping` which seats are closed to
everybody else, `quiet` when nobody is told anything.
"""
