"""What must be true whatever failed: the invariants of the pipeline, checked from the outside.

The provider's own invoice, the object store and the record are read and compared; nothing of the code under
test takes part. `violations` is empty when all holds.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.storage import ObjectMissing, ObjectStore
from tests.emulators.base import InvoiceLine
from workers.providers.replicate.identity import derived_seed

TERMINAL = frozenset({"completed", "failed", "canceled", "expired"})
OPEN = frozenset({"intent", "accepted", "unknown"})
EXCUSED = frozenset({"possibly_billed", "duplicate"})
"""Submissions whose bill Penstock bears: nobody can know what they cost, or they were found too late."""
SILENT_S = 10.0
"""Within this time whatever a dead worker held goes on."""
CLOCK_SLACK_S = 0.005


@dataclass(frozen=True, slots=True)
class Violation:
    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that Postgres has, read in one snapshot."""

    generations: Mapping[UUID, Mapping[str, Any]]
    submissions: Mapping[UUID, Mapping[str, Any]]
    events: Mapping[UUID, Sequence[Mapping[str, Any]]]
    ledger: Sequence[Mapping[str, Any]]
    outputs: Sequence[Mapping[str, Any]]
    accounts: Sequence[Mapping[str, Any]]
    ghosts: Sequence[Mapping[str, Any]]


async def violations(
    db: Database, invoice: Sequence[InvoiceLine] = (), store: ObjectStore | None = None, *,
    acknowledged: Iterable[UUID] = (), finished: bool = True,
) -> list[Violation]:  # fmt: skip
    """All that is wrong. `finished` says that everything should have come to its end by now."""
    record = await read(db)
    found = [*_moments(record), *_events(record), *_ledger(record), *_accounts(record)]
    found += _charges(record, invoice)
    found += [Violation("lost", str(id_), "acknowledged, but not in the record")
              for id_ in acknowledged if id_ not in record.generations]  # fmt: skip
    if finished:
        found += [*_ends(record), *_bills(record, invoice)]
    if store is not None:
        found += await _outputs(record, store)
    return found


async def read(db: Database) -> Record:
    async with db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        generations = await tx.fetch("SELECT *, wake_at > now() AS asleep FROM generations")
        events = defaultdict(list)
        for event in await tx.fetch("SELECT * FROM generation_events ORDER BY generation_id, seq"):
            events[event["generation_id"]].append(event)
        ghosts = await tx.fetch(
            "SELECT g.id, w.id IS NULL AS unknown FROM generations g LEFT JOIN workers w ON w.id = g.owner"
            " WHERE g.owner IS NOT NULL"
            " AND (w.id IS NULL OR w.beat_at < now() - $1::float8 * interval '1 second')",
            SILENT_S,
        )
        return Record(
            {row["id"]: row for row in generations},
            {row["id"]: row for row in await tx.fetch("SELECT * FROM submissions ORDER BY n")},
            events,
            await tx.fetch("SELECT * FROM ledger"),
            await tx.fetch("SELECT * FROM outputs"),
            await tx.fetch("SELECT * FROM accounts"),
            ghosts,
        )


def _moments(record: Record) -> list[Violation]:
    """What must hold at any instant."""
    found = [Violation("owned by the dead", str(row["id"]), "its worker is unknown or silent")
             for row in record.ghosts]  # fmt: skip
    tries = Counter(submission["generation_id"] for submission in record.submissions.values())
    for id_, row in record.generations.items():
        if row["owner"] is None and not row["rung"] and row["asleep"] and row["pokes"] > row["pokes_seen"]:
            found.append(Violation("poke forgotten", str(id_), f"asleep, {row['pokes']} pokes"))
        if row["attempts"] > tries[id_]:
            found.append(Violation("attempt without a submission", str(id_), f"{row['attempts']} attempts"))
    return found


def _ends(record: Record) -> list[Violation]:
    """What must hold when everything is over."""
    found = []
    for id_, row in record.generations.items():
        if row["state"] not in TERMINAL:
            found.append(Violation("unfinished", str(id_), f"{row['state']}, owner {row['owner']}"))
        elif row["cost_status"] not in {"final", "released"}:
            found.append(Violation("money open", str(id_), row["cost_status"]))
        outputs = sum(output["generation_id"] == id_ for output in record.outputs)
        if (row["state"] == "completed") != (outputs > 0):
            found.append(Violation("outputs", str(id_), f"{row['state']} with {outputs} outputs"))
    for id_, submission in record.submissions.items():
        if submission["state"] in OPEN:
            found.append(Violation("submission open", str(id_), submission["state"]))
    return found


def _events(record: Record) -> list[Violation]:
    found = []
    for id_, row in record.generations.items():
        events = record.events.get(id_, ())
        seqs = [event["seq"] for event in events]
        if seqs != list(range(1, row["seq"] + 1)):
            found.append(Violation("event gap", str(id_), f"{seqs}, but seq is {row['seq']}"))
        words = [event["type"].removeprefix("generation.") for event in events]
        ends = [place for place, word in enumerate(words) if word in TERMINAL]
        if len(ends) != (row["state"] in TERMINAL):
            found.append(Violation("terminal events", str(id_), f"{row['state']} after {words}"))
        elif ends and words[ends[0]] != row["state"]:
            found.append(Violation("terminal left", str(id_), f"{row['state']} after {words}"))
        elif ends and set(words[ends[0] + 1 :]) - {"settled"}:
            found.append(Violation("terminal left", str(id_), f"{words}"))
    return found


def _ledger(record: Record) -> list[Violation]:
    found = []
    times = Counter(
        (entry["generation_id"], entry["submission_id"], entry["kind"]) for entry in record.ledger
    )
    for (generation_id, submission_id, kind), count in times.items():
        if count > 1 and kind != "adjust":
            found.append(Violation("booked twice", str(submission_id or generation_id), f"{count} × {kind}"))
    sums: dict[tuple[UUID, str], int] = defaultdict(int)
    for entry in record.ledger:
        sums[entry["generation_id"], entry["kind"]] += entry["nanos"]
    for id_, row in record.generations.items():
        reserved, released = sums[id_, "reserve"], sums[id_, "release"]
        if reserved != row["reserved_nanos"]:
            found.append(Violation("reserve", str(id_), f"{reserved}, not {row['reserved_nanos']}"))
        over = row["state"] in TERMINAL and row["cost_status"] in {"final", "released"}
        if reserved + released != (0 if over else reserved):
            found.append(Violation("reserve", str(id_), f"{reserved} reserved, {released} released"))
        if sums[id_, "settle"] != (row["cost_nanos"] or 0):
            found.append(
                Violation("cost", str(id_), f"shows {row['cost_nanos']}, paid {sums[id_, 'settle']}")
            )
    return found


def _accounts(record: Record) -> list[Violation]:
    held: dict[UUID, int] = defaultdict(int)
    for entry in record.ledger:
        if entry["payer"] == "account":
            held[entry["account_id"]] += entry["nanos"]
    return [
        Violation(
            "held sum", str(account["id"]), f"{account['held_nanos']}, the ledger says {held[account['id']]}"
        )
        for account in record.accounts
        if account["budget_nanos"] is not None and account["held_nanos"] != held[account["id"]]
    ]


def _charges(record: Record, invoice: Sequence[InvoiceLine]) -> list[Violation]:
    """Every piece of work at the provider was announced in the record before, and no work was bought twice."""
    found = []
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    submitter = Attribution(record)
    for line in invoice:
        submission = submitter(line)
        if submission is None:
            found.append(Violation("charge without an intent", line.id, f"{line.amount_nanos} {line.status}"))
        elif submission["intent_at"].timestamp() > line.created_at + CLOCK_SLACK_S:
            found.append(Violation("charge before its intent", line.id, str(submission["id"])))
        else:
            lines[submission["id"]].append(line)
    paid: Counter[UUID] = Counter()
    for id_, own in lines.items():
        submission = record.submissions[id_]
        if len(own) > 1:
            found.append(Violation("sent twice", str(id_), ", ".join(line.id for line in own)))
        # A submission that ended without a result may be followed by another route's.
        fruitless = submission["state"] == "done" and submission["error"]
        if submission["state"] not in EXCUSED and not fruitless:
            paid[submission["generation_id"]] += sum(line.amount_nanos > 0 for line in own)
    for id_, count in paid.items():
        if count > 1:
            found.append(Violation("charged twice", str(id_), f"{count} charges"))
    return found


def _bills(record: Record, invoice: Sequence[InvoiceLine]) -> list[Violation]:
    """What the provider bills is what the ledger settled, for each submission and so in sum."""
    settled: dict[UUID, int] = defaultdict(int)
    for entry in record.ledger:
        if entry["kind"] == "settle":
            settled[entry["submission_id"]] += entry["nanos"]
    billed: dict[UUID, int] = defaultdict(int)
    found = []
    submitter = Attribution(record)
    for line in invoice:
        if not line.final:
            found.append(Violation("still at the provider", line.id, line.status))
        submission = submitter(line)
        if submission is not None and submission["state"] not in EXCUSED:
            billed[submission["id"]] += line.amount_nanos
    for id_ in sorted(billed.keys() | settled.keys(), key=str):
        if billed[id_] != settled[id_]:
            state = record.submissions[id_]["state"] if id_ in record.submissions else "unknown"
            found.append(
                Violation("bill", str(id_), f"billed {billed[id_]}, settled {settled[id_]} ({state})")
            )
    return found


class Attribution:
    """Whose work a line of the invoice is: by the provider's id, else by the seed that we drew, else by the
    prompt, which tests make unique, for a submission that nobody could ask about."""

    def __init__(self, record: Record) -> None:
        rows = record.submissions.values()
        self._by_id = {row["remote_id"]: row for row in rows if row["remote_id"] is not None}
        self._by_seed = {derived_seed(row["id"]): row for row in rows}
        self._by_prompt = {
            record.generations[row["generation_id"]]["input"].get("prompt"): row
            for row in rows
            if row["state"] in EXCUSED and row["generation_id"] in record.generations
        }

    def __call__(self, line: InvoiceLine) -> Mapping[str, Any] | None:
        return (
            self._by_id.get(line.id)
            or self._by_seed.get(line.input.get("seed", -1))
            or self._by_prompt.get(line.input.get("prompt"))
        )


async def _outputs(record: Record, store: ObjectStore) -> list[Violation]:
    """A row of an output is a promise that the object is there, with these bytes."""
    found = []
    for row in record.outputs:
        try:
            data = await store.get_bytes(row["key"])
        except ObjectMissing:
            found.append(Violation("object missing", row["key"], str(row["generation_id"])))
            continue
        if len(data) != row["bytes"] or hashlib.sha256(data).hexdigest() != row["sha256"]:
            found.append(Violation("object differs", row["key"], f"{len(data)} bytes, not {row['bytes']}"))
    return found
