import { api, type Schema, taken } from './client';
import type { JobAction, JobFilter, OpsJob, OpsJobDetail } from './ops';

export type BulkAnswer = Schema['BulkResource'];

/** Named ones, or all that match. */
export type Meant = { ids: string[] } | { filter: JobFilter };

export function fetchOpsJobs(filter: JobFilter, after: string | undefined) {
  const query = { ...filter, limit: 50, after };
  return taken(api.GET('/api/v1/ops/jobs', { params: { query: query as never } }));
}

export function fetchOpsJob(id: string): Promise<OpsJobDetail> {
  return taken(api.GET('/api/v1/ops/jobs/{id}', { params: { path: { id } } }));
}

/** How many an action would reach, without doing anything. */
export function countJobs(action: JobAction, meant: Meant): Promise<BulkAnswer> {
  return taken(api.POST('/api/v1/ops/jobs:bulk', { body: { action, ...meant, dry_run: true } as never }));
}

export function actOnJobs(action: JobAction, meant: Meant, confirm_count: number): Promise<BulkAnswer> {
  return taken(api.POST('/api/v1/ops/jobs:bulk', { body: { action, ...meant, confirm_count } as never }));
}

export function cancelJob(id: string): Promise<OpsJob> {
  return taken(api.POST('/api/v1/ops/jobs/{id}/cancel', { params: { path: { id } } }));
}

export function deleteJob(id: string): Promise<unknown> {
  return taken(api.DELETE('/api/v1/ops/jobs/{id}', { params: { path: { id } } }));
}

export function runJobNow(id: string): Promise<OpsJob> {
  return taken(api.POST('/api/v1/ops/jobs/{id}/run-now', { params: { path: { id } } }));
}

/** The new job, which is another. */
export function retryJob(id: string, provider?: string): Promise<OpsJob> {
  return taken(
    api.POST('/api/v1/ops/jobs/{id}/retry', {
      params: { path: { id }, query: { ...(provider && { provider }) } },
    }),
  );
}
