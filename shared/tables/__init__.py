"""The rows, one file per domain. Rows only: rules live in `shared/domains`."""

from shared.tables.accounts import Account, ApiKey, IdempotencyKey
from shared.tables.analytics import UsageAnalytics, UsageRollup
from shared.tables.assets import Asset, RetentionRule
from shared.tables.callbacks import ProviderAudit, ProviderCallback
from shared.tables.catalog import (
    AccountProvider,
    ModelCardRow,
    PriceRow,
    ProviderCall,
    ProviderHealth,
    ProviderLimit,
    RunTime,
)
from shared.tables.creative import CreativeGeneration
from shared.tables.generations import Generation, GenerationEvent, Output, Submission
from shared.tables.identity import Identity, LoginAttempt, Session, User
from shared.tables.ledger import LedgerEntry
from shared.tables.money_rules import Budget, BudgetAlert, Email, PlanRow, QuotaCounter, QuotaUse
from shared.tables.ops import AuditEntry, DiscardedFailure, ProviderCheck, Purge, Queue, Worker
from shared.tables.projects import Project
from shared.tables.provider_keys import AccountRouting, UserApiKey
from shared.tables.uploads import Upload
from shared.tables.webhooks import WebhookDelivery, WebhookEndpoint, WebhookSecret

__all__ = [
    "Account",
    "AccountProvider",
    "AccountRouting",
    "ApiKey",
    "Asset",
    "AuditEntry",
    "Budget",
    "BudgetAlert",
    "CreativeGeneration",
    "DiscardedFailure",
    "Email",
    "Generation",
    "GenerationEvent",
    "IdempotencyKey",
    "Identity",
    "LedgerEntry",
    "LoginAttempt",
    "ModelCardRow",
    "Output",
    "PlanRow",
    "PriceRow",
    "Project",
    "ProviderAudit",
    "ProviderCall",
    "ProviderCallback",
    "ProviderCheck",
    "ProviderHealth",
    "ProviderLimit",
    "Purge",
    "Queue",
    "QuotaCounter",
    "QuotaUse",
    "RetentionRule",
    "RunTime",
    "Session",
    "Submission",
    "Upload",
    "UsageAnalytics",
    "UsageRollup",
    "User",
    "UserApiKey",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
    "Worker",
]
