"""What the gateway answers: one module per noun, each with its tuple `operations`."""

from gateway.routes import (
    api_keys,
    batches,
    documents,
    estimates,
    events,
    generations,
    health,
    models,
    outputs,
    uploads,
    usage,
)

OPERATIONS = (
    *generations.operations,
    *estimates.operations,
    *batches.operations,
    *outputs.operations,
    *events.operations,
    *models.operations,
    *uploads.operations,
    *usage.operations,
    *api_keys.operations,
    *health.operations,
    *documents.operations,
)
