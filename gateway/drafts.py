"""Forms that are being filled in: a request that may not be one yet, read as far as it goes.

What is missing is stood in for and what is wrong is left out, so that a price can be shown at every pause in typing;
every such place is told with its field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from gateway.auth import Principal
from gateway.generation_request import GenerationRequest, new_generation
from gateway.wording import sentence
from shared.domains.admission import Admitter, NewGeneration
from shared.domains.routing import Plan
from shared.errors import InvalidInput
from shared.kinds import KINDS, Parameters

STAND_IN = "x"
"""In place of a required text or file: every kind requires nothing else."""
ROUNDS = 12


@dataclass(slots=True)
class Draft:
    """`problems` are {field, message, missing}."""

    new: NewGeneration
    plan: Plan
    problems: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class _Form:
    """The parameters of a kind while they are mended."""

    kind: str
    given: dict[str, Any]
    problems: list[dict[str, Any]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def note(self, name: str, message: str, *, missing: bool) -> None:
        """Tells of a parameter, and mends it: what is missing is stood in for, else it is left out. A rule about the
        whole is about the prompt as long as there is none."""
        prompt = KINDS[self.kind].prompt_field
        if not name and prompt not in self.given:
            name, message, missing = prompt, "Field required", True
        if name not in self._seen:
            where = f"input.{name}" if name else "input"
            self.problems.append({"field": where, "message": message, "missing": missing})
        again = name in self._seen
        self._seen.add(name)
        info = KINDS[self.kind].parameters.model_fields.get(name)
        if not name or again:
            self._only_the_prompt()
        elif missing or (info is not None and info.is_required()):
            self.given[name] = STAND_IN
        else:
            self.given.pop(name, None)

    def _only_the_prompt(self) -> None:
        """The rule that is broken concerns several parameters: what is left is what nothing works without."""
        kind = KINDS[self.kind]
        kept = {name for name, info in kind.parameters.model_fields.items() if info.is_required()}
        prompt = self.given.get(kind.prompt_field)
        self.given = {name: value for name, value in self.given.items() if name in kept}
        self.given[kind.prompt_field] = prompt if isinstance(prompt, str) and prompt else STAND_IN

    def read(self) -> Parameters:
        """Raises InvalidInput when no mending helps."""
        for _ in range(ROUNDS):
            try:
                return KINDS[self.kind].parameters.model_validate(self.given)
            except ValidationError as invalid:
                for error in invalid.errors(include_url=False, include_input=False, include_context=False):
                    name = str(error["loc"][0]) if error["loc"] else ""
                    empty = error["type"] in {"missing", "string_too_short"}
                    self.note(name, sentence(error["type"], error["msg"]), missing=empty)
        raise InvalidInput("This form cannot be read.", field="input", status=422)


async def read_draft(admitter: Admitter, asked: GenerationRequest, caller: Principal) -> Draft:
    """Raises InvalidInput for a model that is unknown, ModelRetired, NoProvider, Forbidden."""
    caller.require_kind(asked.kind)
    form = _Form(asked.kind, _without_blanks(asked.input))
    for _ in range(ROUNDS):
        new = new_generation(asked, form.read(), caller)
        try:
            return Draft(new, await admitter.plan(caller.account_id, new), form.problems)
        except InvalidInput as refused:
            where, _, name = (refused.field or "").partition(".")
            if where != "input":
                raise
            form.note(name.partition(".")[0], refused.message, missing=form.given.get(name) is None)
    raise InvalidInput("This form cannot be read.", field="input", status=422)


def _without_blanks(given: Mapping[str, Any]) -> dict[str, Any]:
    """An empty field of a form is one that is not there."""
    return {name: value for name, value in given.items() if not _is_blank(value)}


def _is_blank(value: Any) -> bool:
    return value in (None, []) or (isinstance(value, str) and not value.strip())
