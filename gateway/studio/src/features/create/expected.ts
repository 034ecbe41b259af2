import type { Generation } from '@/api/client';
import type { NewGeneration } from '@/api/generations';

/** What a request will look like, until the gateway has answered. */
export function expected(request: NewGeneration): Generation {
  const now = new Date().toISOString();
  return {
    id: `expected-${crypto.randomUUID()}`,
    object: 'generation',
    kind: request.kind,
    status: 'queued',
    stage: 'sending',
    progress: null,
    queue_position: null,
    provider_queue_position: null,
    eta_seconds: null,
    eta_p90_seconds: null,
    waiting_for: null,
    cancel_requested_at: null,
    seq: -1,
    model: request.model ?? '',
    resolved: null,
    input: request.input as Generation['input'],
    project_id: request.project_id ?? null,
    parent_id: null,
    group_id: null,
    priority: 'normal',
    outputs: [],
    cost: {
      status: 'reserved',
      estimated: null,
      actual: null,
      currency: 'USD',
      price_id: null,
      billed_to: 'platform',
      explanation: '',
    },
    error: null,
    trouble: null,
    warnings: [],
    moderation: {},
    metadata: {},
    created_at: now,
    started_at: null,
    completed_at: null,
    deadline_at: now,
    links: { self: '', events: '', cancel: '', ws_topic: '' },
  };
}
