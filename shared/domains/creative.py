"""The Creative Studio's history: what was made, newest first, without what lies in the trash."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.db import Tx

TYPES = ("image", "audio", "music", "video")
"""What a history tells apart; an upscale is an image."""

# Behind the CTE `a`, rows of `assets` as the transaction of a completion inserts them. Only what the studio makes.
FROM_ASSETS = """
INSERT INTO creative_generations (id, user_id, generation_id, type, prompt, model, settings, result_url, thumbnail_url,
    metadata)
SELECT a.id, a.user_id, a.generation_id, CASE a.kind WHEN 'upscale' THEN 'image' ELSE a.kind END,
    coalesce(g.input ->> 'prompt', g.input ->> 'text', ''), coalesce(a.model, ''), g.input - 'prompt' - 'text',
    a.file_url, a.thumbnail_url,
    jsonb_strip_nulls(jsonb_build_object('operation', CASE a.kind WHEN 'upscale' THEN 'upscale' END, 'n', a.output_n,
        'provider', a.provider, 'provider_model', a.provider_model, 'mime', a.mime, 'bytes', a.file_size_bytes,
        'width', a.width, 'height', a.height, 'duration', a.duration_seconds, 'seed', a.seed,
        'cost_nanos', g.cost_nanos, 'warnings', nullif(g.warnings, '[]'::jsonb)))
FROM a CROSS JOIN LATERAL (SELECT x.* FROM generations x WHERE x.id = a.generation_id LIMIT 1) g
WHERE a.kind IN ('image', 'audio', 'music', 'video', 'upscale')
"""

# By the library's own index, so that one account's page costs the same whoever else makes things.
_PAGE = """
SELECT c.id, c.user_id, c.generation_id, c.type, c.prompt, c.model, c.settings, c.result_url, c.thumbnail_url,
    c.metadata, c.created_at, c.updated_at
FROM assets a JOIN creative_generations c ON c.id = a.id
WHERE a.user_id = (SELECT auth.uid()) AND a.deleted_at IS NULL {conditions}
ORDER BY a.id DESC LIMIT $1 OFFSET $2
"""


async def page(
    tx: Tx, limit: int, *, offset: int = 0, after: UUID | None = None, of_type: str | None = None
) -> Sequence[Mapping[str, Any]]:
    """The account's rows behind the id `after`, `offset` of them left out."""
    wanted = [
        (condition, value)
        for condition, value in (("a.id < ${}", after), ("c.type = ${}", of_type))
        if value is not None
    ]
    conditions = "".join(f" AND {condition.format(n)}" for n, (condition, _) in enumerate(wanted, start=3))
    rows: Sequence[Mapping[str, Any]] = await tx.fetch(
        _PAGE.format(conditions=conditions), limit, offset, *(value for _, value in wanted)
    )
    return rows
