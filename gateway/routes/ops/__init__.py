"""What operators see and do: `/api/v1/ops/…`. Viewers see all of it and do nothing, users see none."""

from gateway.routes.ops import audit, failures, jobs, providers, purges, queues, system, workers

operations = (
    *queues.operations,
    *purges.operations,
    *jobs.operations,
    *failures.operations,
    *workers.operations,
    *providers.operations,
    *audit.operations,
    *system.operations,
)
