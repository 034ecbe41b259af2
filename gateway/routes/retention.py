"""Retention: at which age assets go to the trash, and what that would do today."""

from typing import Any
from uuid import UUID

from pydantic import Field

from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource
from gateway.routes.assets import Type
from shared.domains import retention
from shared.domains.accounts import Scope
from shared.domains.retention import MAX_RULES, Report, Rule, Weight
from shared.errors import InvalidInput

TAG = "Retention"
EXAMPLE = {"rules": [{"older_than_days": 90, "type": "video"}, {"older_than_days": 365}]}


class RetentionRuleBody(Body):
    older_than_days: int = Field(ge=1, le=36_500)
    type: Type | None = Field(None, description="Null is every type.")

    def read(self) -> Rule:
        return Rule(self.older_than_days, self.type)


class RetentionRules(Body):
    rules: list[RetentionRuleBody] = Field(max_length=MAX_RULES)


class TriedRules(Body):
    rules: list[RetentionRuleBody] | None = Field(
        None, max_length=MAX_RULES, description="Rules to try; those in force when left out."
    )


class RetentionRuleResource(Resource):
    older_than_days: int
    type: Type | None


class RetentionResource(Resource):
    rules: list[RetentionRuleResource]


class RetentionWeight(Resource):
    assets: int
    bytes: int


class RetentionRuleReport(RetentionRuleResource, RetentionWeight):
    pass


class RetentionReport(Resource):
    rules: list[RetentionRuleReport]
    total: RetentionWeight = Field(description="What two rules hit counts once.")
    sample: list[UUID] = Field(description="The oldest of them.")


@operation(
    "GET",
    "/api/v1/retention",
    tag=TAG,
    summary="Get the rules of retention",
    scope=Scope.READ,
    answers=(Answer(200, "The rules in force", RetentionResource),),
)
async def get_retention(request: Request[None, None]) -> Reply:
    """None at first: everything is kept."""
    async with request.deps.db.transaction(request.account_id) as tx:
        return _rules(await retention.rules(tx))


@operation(
    "PUT",
    "/api/v1/retention",
    tag=TAG,
    summary="Set the rules of retention",
    scope=Scope.WRITE,
    answers=(Answer(200, "The rules in force", RetentionResource),),
    errors=(InvalidInput,),
    example=EXAMPLE,
)
async def set_retention(request: Request[RetentionRules, None]) -> Reply:
    """In place of all rules that were there. About once an hour, assets that are too old go to the trash, where they
    can be restored for thirty days; favourites and what is published never do.
    """
    wanted = [rule.read() for rule in request.body.rules]
    async with request.deps.db.transaction(request.account_id) as tx:
        await retention.replace_rules(tx, request.account_id, wanted)
    return _rules(wanted)


@operation(
    "POST",
    "/api/v1/retention/report",
    tag=TAG,
    summary="See what rules of retention would do",
    scope=Scope.READ,
    answers=(Answer(200, "What would go to the trash now", RetentionReport),),
    errors=(InvalidInput,),
    example=EXAMPLE,
)
async def report_retention(request: Request[TriedRules, None]) -> Reply:
    """Changes nothing."""
    asked = request.body.rules
    async with request.deps.db.transaction(request.account_id) as tx:
        wanted = await retention.rules(tx) if asked is None else [rule.read() for rule in asked]
        return _report(await retention.report(tx, wanted))


def _rules(rules: list[Rule]) -> Reply:
    return reply({"rules": [_rule(rule) for rule in rules]})


def _report(found: Report) -> Reply:
    return reply(
        {
            "rules": [_rule(rule) | _weight(weight) for rule, weight in found.by_rule],
            "total": _weight(found.total),
            "sample": found.sample,
        }
    )


def _rule(rule: Rule) -> dict[str, Any]:
    return {"older_than_days": rule.older_than_days, "type": rule.type}


def _weight(weight: Weight) -> dict[str, int]:
    return {"assets": weight.assets, "bytes": weight.bytes}


operations = (get_retention, set_retention, report_retention)
