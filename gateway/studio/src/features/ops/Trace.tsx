import type { OpsJobDetail } from '@/api/ops';
import { Json } from './Json';

/** How it came to the error: what each provider that was asked has answered, and what else is known. */
export function Trace({ job }: { job: OpsJobDetail }) {
  const calls = job.submissions
    .filter((one) => one.error)
    .map((one) => ({ attempt: one.n, provider: one.provider, model: one.model, ...one.error }));
  const details = job.generation.error?.details;
  const tried = job.decision.tried;
  const trace = {
    ...(details && Object.keys(details).length > 0 && { details }),
    ...(calls.length > 0 && { calls }),
    ...(Array.isArray(tried) && tried.length > 0 && { tried }),
  };
  if (Object.keys(trace).length === 0) return null;
  return (
    <details>
      <summary>Trace</summary>
      <Json value={trace} />
    </details>
  );
}
