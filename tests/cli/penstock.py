"""`penstock`, for the nursery's children."""

from cli.main import app


def main() -> int:
    app(prog_name="penstock")
    return 0
