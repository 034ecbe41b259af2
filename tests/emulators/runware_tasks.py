"""Tasks of the emulated Runware: what is asked, what comes of it, and what it costs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.emulators.base import Effect, Fault, InvoiceLine

PRICES = {
    "bfl:5@1": Decimal("0.03"),
    "runware:400@1": Decimal("0.009"),
    "runware:101@1": Decimal("0.0038"),
    "runware:100@1": Decimal("0.0006"),
    "civitai:101055@128078": Decimal("0.0026"),
    "civitai:4384@128713": Decimal("0.0013"),
}
"""Dollars per picture of a megapixel; its true prices are told with its results."""
STEPS = {"bfl:5@1": 16, "runware:400@1": 16}
EXTENSIONS = {"JPG": "jpg", "PNG": "png", "WEBP": "webp"}
_MEGAPIXEL = 1024 * 1024
_KNOWN = {
    "taskType", "taskUUID", "model", "deliveryMethod", "numberResults", "positivePrompt", "negativePrompt",
    "outputType", "outputFormat", "includeCost", "width", "height", "steps", "CFGScale", "seed", "seedImage",
    "strength", "inputs",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Task:
    asked: dict[str, Any]
    created_at: float
    run_s: float
    stagger_s: float
    faults: dict[Effect, Fault]

    @property
    def id(self) -> str:
        return str(self.asked["taskUUID"])

    @property
    def count(self) -> int:
        return int(self.asked["numberResults"])

    @property
    def ended_at(self) -> float:
        return self._done_at(self.count - 1)

    @property
    def cost(self) -> Decimal:
        """Dollars for one picture, to a tenth of a thousandth of a cent."""
        megapixels = Decimal(self.asked["width"] * self.asked["height"]) / _MEGAPIXEL
        return (PRICES[self.asked["model"]] * megapixels).quantize(Decimal("0.0000001"))

    @property
    def full_price_nanos(self) -> int:
        return int(self.cost * self.count * 10**9)

    def is_listed(self, now: float) -> bool:
        lag = self.faults.get(Effect.LIST_LAG)
        return lag is None or now >= self.created_at + lag.seconds

    def items(
        self, now: float, base_url: str, *, tells_cost: bool
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The results and the errors that are there by now."""
        results, errors = [], []
        for n in range(self.count):
            common = {"taskType": "imageInference", "taskUUID": self.id}
            if now < self._done_at(n):
                results.append({**common, "status": "processing"})
            elif (code := self._failure()) is not None:
                errors.append({**common, "status": "error", "code": code[0], "message": code[1]})
            else:
                results.append(self._result(n, common, base_url, tells_cost))
        return results, errors

    def bill(self, now: float) -> InvoiceLine:
        made = 0 if self._failure() else sum(now >= self._done_at(n) for n in range(self.count))
        ended = now >= self.ended_at
        status = "processing" if not ended else "failed" if self._failure() else "success"
        nanos = int(self.cost * made * 10**9)
        return InvoiceLine(
            self.id, self.asked["model"], status, nanos, ended, self.created_at, input=self.asked
        )

    def _done_at(self, n: int) -> float:
        if Effect.STUCK in self.faults:
            return float("inf")
        run = self.faults.get(Effect.RUN_SECONDS)
        return self.created_at + (run.seconds if run else self.run_s) + n * self.stagger_s

    def _failure(self) -> tuple[str, str] | None:
        if Effect.NSFW in self.faults:
            return "providerContentPolicyViolation", "The content was refused"
        if fault := self.faults.get(Effect.FAIL):
            return "providerError", fault.message or "The model failed"
        return None

    def _result(self, n: int, common: dict[str, Any], base_url: str, tells_cost: bool) -> dict[str, Any]:
        extension = EXTENSIONS[self.asked["outputFormat"]]
        item = {
            **common,
            "status": "success",
            "imageUUID": str(UUID(int=UUID(self.id).int ^ (n + 1))),
            "imageURL": f"{base_url}/image/{self.id}-{n}.{extension}",
            "seed": self.asked.get("seed", 4711) + n,
        }
        return {**item, "cost": float(self.cost)} if tells_cost and self.asked.get("includeCost") else item


def complaint(asked: dict[str, Any]) -> str | None:
    """What is wrong with an `imageInference`, as code and sentence, or None."""
    try:
        given = UUID(str(asked.get("taskUUID")))
    except ValueError:
        return "invalidTaskUUID: Must be a UUID v4"
    if given.version != 4:
        return "invalidTaskUUID: Must be a UUID v4"
    if unknown := asked.keys() - _KNOWN:
        return f"unsupportedParameter: {min(unknown)} is not supported"
    if asked.get("model") not in PRICES:
        return f"modelNotFound: There is no model {asked.get('model')}"
    if asked.get("deliveryMethod") != "async":
        return "unsupportedDeliveryMethod: Only async is emulated"
    if not 2 <= len(asked.get("positivePrompt", "")) <= 3000:
        return "invalidPositivePromptLength: 2 to 3000 characters"
    step = STEPS.get(asked["model"], 64)
    for side in ("width", "height"):
        value = asked.get(side)
        if not isinstance(value, int) or not 128 <= value <= 2048 or value % step:
            return f"invalid{side.title()}: {side} must be 128 to 2048, in multiples of {step}"
    if asked.get("outputFormat") not in EXTENSIONS:
        return "invalidOutputFormat: JPG, PNG or WEBP"
    return None
