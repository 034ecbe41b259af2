"""The schema's history, run by `python -m shared.migrate` or `alembic upgrade head`."""
