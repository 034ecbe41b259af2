"""The rows, one file per domain. Rows only: rules live in `shared/domains`."""

from shared.tables.accounts import Account, ApiKey, IdempotencyKey
from shared.tables.catalog import ModelCardRow, ProviderHealth
from shared.tables.generations import Generation, GenerationEvent, Output, Submission
from shared.tables.ledger import LedgerEntry
from shared.tables.ops import Queue, Worker
from shared.tables.uploads import Upload

__all__ = [
    "Account",
    "ApiKey",
    "Generation",
    "GenerationEvent",
    "IdempotencyKey",
    "LedgerEntry",
    "ModelCardRow",
    "Output",
    "ProviderHealth",
    "Queue",
    "Submission",
    "Upload",
    "Worker",
]
