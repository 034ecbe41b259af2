"""Bodies that change some fields of what is there."""

from typing import Any

from pydantic import ConfigDict

from gateway.http import Body


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Changes(Body):
    """Base of such bodies: what is left out stays as it is, so the defaults of the fields say nothing."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    def gives(self, name: str) -> bool:
        """Whether the field is given."""
        return name in self.model_fields_set
