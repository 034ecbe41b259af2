import { api, type Generation, taken } from './client';
import type { NewGeneration } from './generations';
import { Problem } from './problem';

/** Submits several at once; each is taken or refused by itself. */
export async function submitBatch(
  items: readonly NewGeneration[],
  idempotencyKey: string,
): Promise<{ made: Generation[]; refused: Problem | null }> {
  const answer = await taken(
    api.POST('/api/v1/generations:batch', {
      params: { header: { 'Idempotency-Key': idempotencyKey } },
      body: { items: items as unknown as Record<string, unknown>[] } as never,
    }),
  );
  const made = answer.data.map((one) => one.generation).filter((one) => one !== null);
  const error = answer.data.find((one) => one.error !== null);
  return {
    made: made as unknown as Generation[],
    refused: error?.error ? refusal(error.error, error.status) : null,
  };
}

function refusal(body: Record<string, unknown>, status: number): Problem {
  return new Problem(
    String(body.error),
    String(body.message),
    status,
    null,
    typeof body.field === 'string' ? body.field : null,
    body.retryable === true,
    null,
    (body.details ?? {}) as Record<string, unknown>,
  );
}
