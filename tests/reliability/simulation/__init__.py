"""A deterministic simulation of everything at once: one process, no network, one seed a story.

People act in Google, clients and operators call, pushes and tasks come late, twice or never, and processes fail or die at any I/O; a seed decides what
happens next, each time. Then it goes quiet, every calendar is polled, and all that is stored must tell the same as Google does (`checks`).

The code of `functions/` runs as it is, with the real client libraries. What it talks to is in this process: the engine of the embedded Firestore
(`firestore`), the world of the Google stand-in (`google`), a list of tasks (`tasks`). Whoever works is a thread, but only one of them runs at a time:
before each I/O it stops, and the seed says who goes on (`turns`), and what becomes of the I/O (`faults`). So any two workers interleave at any I/O, and
the same seed is the same story again: `make explore ARGS="--seed 123"`.

`business` is what there is, `people` and `callers` are those who act in it, `run` tells one story, `__main__` tells many.
"""
