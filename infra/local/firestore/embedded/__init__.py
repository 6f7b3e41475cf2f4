"""The embedded stand-in: Firestore's gRPC protocol served from Python, with the documents in one SQLite file.

For machines where the official emulator cannot be had. It serves what this project uses and answers UNIMPLEMENTED,
naming what was asked, to everything else. Everything runs on one event loop: a request touches the store without
giving up control, so requests never see each other half done. Only a read-write transaction waits (for its turn), and
its correctness does not rest on that turn but on the check of everything it read at its commit.

One concept a module: ``names`` and ``fieldpaths`` (addresses), ``values`` (order, size, what may be stored),
``storage`` (the file), ``clock`` (commit times), ``commit`` and ``transforms`` (writes), ``filters``, ``queries``,
``aggregation`` and ``listing`` (reads), ``transactions`` (isolation), ``service`` (the calls), ``server`` (the program).
"""
