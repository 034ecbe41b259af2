import type { Estimate } from '@/api/estimates';
import type { Transfer } from './transfers';

/** Why a form cannot be sent now. `link` is the tab of the settings where that can be changed. */
export interface Obstacle {
  message: string;
  /** When it passes by itself. */
  resetsAt: string | null;
  link: 'profile' | 'budgets' | 'providers' | null;
}

interface Situation {
  offline: boolean;
  transfers: readonly Transfer[];
  estimate: Estimate | undefined;
  /** What is still to be filled in, each in a sentence. */
  missing: readonly string[];
  hasModel: boolean;
}

const LINKS: Readonly<Record<string, Obstacle['link']>> = {
  TIER_REQUIRED: 'profile',
  QUOTA_EXCEEDED: 'profile',
  BUDGET_EXCEEDED: 'budgets',
  NO_PROVIDER: 'providers',
};

/** The first thing in the way; null when there is none. */
export function obstacleOf({ offline, transfers, estimate, missing, hasModel }: Situation): Obstacle | null {
  if (offline) return plain('There is no connection. What you wrote is kept.');
  if (!hasModel) return { message: 'No model is available.', resetsAt: null, link: 'providers' };
  if (transfers.some((one) => one.problem === null)) return plain('A file is still on its way.');
  const refusal = estimate?.refusal;
  if (refusal) return refused(refusal);
  const [first] = missing;
  if (first) return plain(first);
  const wrong = estimate?.problems.find((one) => !one.missing);
  return wrong ? plain(`One setting is not right: ${wrong.message}`) : null;
}

function refused(body: Record<string, unknown>): Obstacle {
  const details = (body.details ?? {}) as Record<string, unknown>;
  return {
    message: String(body.message ?? 'This cannot be made now.'),
    resetsAt: typeof details.resets_at === 'string' ? details.resets_at : null,
    link: LINKS[String(body.error)] ?? null,
  };
}

function plain(message: string): Obstacle {
  return { message, resetsAt: null, link: null };
}
