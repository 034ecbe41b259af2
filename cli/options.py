"""Options that many commands share, and the way to share them.

    @app.command("ls")
    @takes(Connection)
    def list_keys(connection: Connection) -> None: ...

gives the command `--url`, `--key` and `--json`, and the function one argument that holds them.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Annotated, Any, Concatenate, get_type_hints

import typer


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the gateway is, who asks, and how the answer is shown."""

    url: Annotated[
        str | None,
        typer.Option("--url", envvar="PENSTOCK_URL", metavar="URL", help="Address of the gateway."),
    ] = None
    key: Annotated[
        str | None,
        typer.Option("--key", envvar="PENSTOCK_API_KEY", metavar="KEY", help="API key."),
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and errors as JSON on stderr.")] = False


def takes[O, **P](bundle: type[O]) -> Callable[[Callable[Concatenate[O, P], None]], Callable[..., None]]:
    """The command takes the fields of the dataclass `bundle` as options; its first argument gathers them."""
    hints = get_type_hints(bundle, include_extras=True)
    names = [field.name for field in fields(bundle)]  # type: ignore[arg-type]  # any dataclass
    shared = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(bundle)  # type: ignore[arg-type]  # any dataclass
    ]

    def decorate(function: Callable[Concatenate[O, P], None]) -> Callable[..., None]:
        @wraps(function)
        def command(**values: Any) -> None:
            gathered = bundle(**{name: values.pop(name) for name in names})
            function(gathered, **values)  # type: ignore[call-arg]  # the rest are the function's own

        _, *own = inspect.signature(function).parameters.values()
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        parameters = [*own, *shared]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by Typer
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del command.__wrapped__  # its signature is not the command's
        return command

    return decorate
