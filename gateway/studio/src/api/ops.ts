import { api, type Schema, taken } from './client';

export type Queue = Schema['QueueResource'];
export type Throughput = Schema['Throughput'];
export type OpsJob = Schema['JobResource'];
export type OpsJobDetail = Schema['JobDetail'];
export type JobAction = Schema['JobsBulk']['action'];
export type JobFilter = Partial<Schema['JobsBulkFilter']>;
export type Purged = Schema['PurgeResource'];
export type Failure = Schema['FailureResource'];
export type OpsWorker = Schema['WorkerResource'];
export type OpsProvider = Schema['OpsProvider'];
export type AuditEntry = Schema['AuditEntry'];
export type SystemReport = Schema['SystemResource'];

/** What the browser sends again is answered 304 while nothing has changed: its own cache keeps the ETags. */
export async function fetchQueues(): Promise<Queue[]> {
  return (await taken(api.GET('/api/v1/ops/queues'))).data;
}

export function fetchThroughput(minutes: number): Promise<Throughput> {
  return taken(api.GET('/api/v1/ops/throughput', { params: { query: { minutes } } }));
}

export function pauseQueue(queue: string, until: string | null, reason: string | null): Promise<Queue> {
  return taken(
    api.POST('/api/v1/ops/queues/{queue}/pause', { params: { path: { queue } }, body: { until, reason } }),
  );
}

export function drainQueue(queue: string, reason: string | null): Promise<Queue> {
  return taken(
    api.POST('/api/v1/ops/queues/{queue}/drain', { params: { path: { queue } }, body: { reason } }),
  );
}

export function resumeQueue(queue: string): Promise<Queue> {
  return taken(api.POST('/api/v1/ops/queues/{queue}/resume', { params: { path: { queue } } }));
}

/** Without a count it only says how many there are. */
export function purgeQueue(queue: string, confirm_count: number | null) {
  return taken(
    api.POST('/api/v1/ops/queues/{queue}/purge', { params: { path: { queue } }, body: { confirm_count } }),
  );
}

/** Asks again for all that it canceled, part by part: how many there are again, and how many could not be. */
export async function undoPurge(id: string): Promise<{ done: number; refused: number }> {
  const sum = { done: 0, refused: 0 };
  for (let more = true; more; ) {
    const part = await taken(api.POST('/api/v1/ops/purges/{id}/undo', { params: { path: { id } } }));
    sum.done += part.done;
    sum.refused += part.refused.length;
    more = part.more;
  }
  return sum;
}

export async function fetchFailures(days: number): Promise<Failure[]> {
  const query = { group: 'fingerprint', days } as const;
  return (await taken(api.GET('/api/v1/ops/dead', { params: { query } }))).data;
}

export function retryFailures(fingerprint: string, confirm_count: number) {
  return taken(
    api.POST('/api/v1/ops/dead/{fingerprint}/retry', {
      params: { path: { fingerprint } },
      body: { confirm_count },
    }),
  );
}

export function discardFailures(fingerprint: string, confirm_count: number) {
  return taken(
    api.POST('/api/v1/ops/dead/{fingerprint}/discard', {
      params: { path: { fingerprint } },
      body: { confirm_count },
    }),
  );
}

export async function fetchWorkers(): Promise<OpsWorker[]> {
  return (await taken(api.GET('/api/v1/ops/workers'))).data;
}

export function quietWorker(id: string, on: boolean): Promise<OpsWorker> {
  const params = { path: { id } };
  if (on) return taken(api.POST('/api/v1/ops/workers/{id}/quiet', { params }));
  return taken(api.POST('/api/v1/ops/workers/{id}/unquiet', { params }));
}

export function stopWorker(id: string): Promise<OpsWorker> {
  return taken(api.POST('/api/v1/ops/workers/{id}/stop', { params: { path: { id } } }));
}

export async function fetchOpsProviders(): Promise<OpsProvider[]> {
  return (await taken(api.GET('/api/v1/ops/providers'))).data;
}

export function coolDown(provider: string, until: string, reason: string | null) {
  return taken(
    api.POST('/api/v1/ops/providers/{provider}/cooldown', {
      params: { path: { provider } },
      body: { until, seconds: null, reason },
    }),
  );
}

export function resetProvider(provider: string) {
  return taken(api.POST('/api/v1/ops/providers/{provider}/reset', { params: { path: { provider } } }));
}

export function checkProvider(provider: string) {
  return taken(
    api.POST('/api/v1/ops/providers/{provider}/check', {
      params: { path: { provider }, query: { wait: 10 } },
    }),
  );
}

export interface AuditQuery {
  action?: string;
  target?: string;
  actor?: string;
  since?: string;
  until?: string;
}

export function fetchAudit(query: AuditQuery, after: string | undefined) {
  return taken(api.GET('/api/v1/ops/audit', { params: { query: { ...query, limit: 50, after } } }));
}

export function fetchSystem(): Promise<SystemReport> {
  return taken(api.GET('/api/v1/ops/system'));
}
