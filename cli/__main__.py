"""`python -m cli` is `penstock`."""

from cli.main import app

app(prog_name="penstock")
