import { address } from '@/api/address';
import { api, type Generation, taken } from '@/api/client';
import { hasEnded, submit } from '@/api/generations';
import { Problem, problemOf } from '@/api/problem';
import { sessionFetch } from '@/api/session';
import type { Kind, Result, Settings } from '@/embed/protocol';
import { live } from '@/live/live';
import { resultsOf } from './results';

/** The kinds that have a function of seed 002's, which speaks the settings of `creativeStudio`. */
const FUNCTIONS = new Set<Kind>(['image', 'audio', 'music', 'upscale']);
const ASK_S = 20;

interface Made {
  generationId?: string;
  metadata?: { generationId?: string };
}

/** Has it made, and waits for the first file; the result is told of by the one who asked. */
export async function run(kind: Kind, settings: Settings): Promise<Result> {
  const id = FUNCTIONS.has(kind) ? await perform(kind, settings) : await make(kind, settings);
  const ended = await end(id);
  live.learn(ended);
  const [first] = await resultsOf(ended);
  if (!first) throw failure(ended);
  return first;
}

async function perform(kind: Kind, settings: Settings): Promise<string> {
  const response = await sessionFetch(
    new Request(address(`/api/creative-${kind}`), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
      body: JSON.stringify(settings),
    }),
  );
  const body = (await response.json().catch(() => ({}))) as Made;
  const id = body.metadata?.generationId ?? body.generationId;
  if (!response.ok || !id) throw problemOf(response, body);
  return id;
}

async function make(kind: Kind, { model, ...input }: Settings): Promise<string> {
  const request = { kind, input, ...(model ? { model } : {}) };
  return (await submit(request as never, crypto.randomUUID())).id;
}

async function end(id: string): Promise<Generation> {
  for (;;) {
    const query = { wait: ASK_S } as never;
    const one = await taken(api.GET('/api/v1/generations/{id}', { params: { path: { id }, query } }));
    if (hasEnded(one)) return one;
  }
}

function failure({ status, error }: Generation): Problem {
  return new Problem(error?.code ?? 'GENERATION_FAILED', error?.message ?? `It was ${status}.`, 200);
}
