import type { Cost, Generation } from '@/api/client';
import { asProblem } from '@/api/problem';
import type { Job } from '@/live/jobs';
import { exactAmount } from '@/ui/money';

/** What a failure card says, whether it is about a generation or about a request that was not taken. */
export interface Failure {
  /** `bad` failed, `warn` will be tried again, `plain` was somebody's own wish. */
  tone: 'bad' | 'warn' | 'plain';
  /** The class of the reason, in plain words. */
  title: string;
  /** What was said about it. */
  why: string | null;
  money: Money;
  /** What Penstock does next; `nextAt` is when, if that is known. */
  next: string;
  nextAt: string | null;
  advice: string | null;
  canRetry: boolean;
  /** Who else could do it. */
  providers: readonly string[];
  canEdit: boolean;
  /** Where in the settings it can be helped. */
  remedy: Remedy | null;
  code: string;
  /** What to quote: the id of the request, or of the generation. */
  reference: string | null;
}

export interface Money {
  short: string;
  /** The whole story, where the short one is not all of it. */
  story: string | null;
}

export interface Remedy {
  label: string;
  tab: string;
}

const TITLES: Readonly<Record<string, string>> = {
  PROVIDER_RATE_LIMITED: 'The provider is too busy',
  PROVIDER_AUTH: 'The provider refused its key',
  PROVIDER_REJECTED: 'The provider did not take this request',
  PROVIDER_FAILED: 'The provider failed',
  PROVIDER_TIMEOUT: 'The provider took too long',
  CONTENT_BLOCKED: 'A content check blocked this',
  UPLOAD_FAILED: 'The result could not be stored',
  NO_PROVIDER: 'Nobody can do this just now',
  DEADLINE: 'Its time ran out',
  POISON: 'It stopped several workers',
  INTERNAL: 'Something went wrong on our side',
  CANCELED: 'Canceled',
  BUDGET_EXCEEDED: 'The budget does not cover this',
  QUOTA_EXCEEDED: 'The plan’s share is used up',
  TIER_REQUIRED: 'The plan does not include this',
  FORBIDDEN: 'This is not allowed here',
  RATE_LIMITED: 'Too many requests at once',
  MODEL_RETIRED: 'This model is no longer offered',
  PAYLOAD_TOO_LARGE: 'That is too large',
  INVALID_INPUT: 'Something in the form is not right',
  UNAVAILABLE: 'A part of Penstock does not answer',
  OFFLINE: 'The gateway cannot be reached',
};

const REMEDIES: Readonly<Record<string, Remedy>> = {
  BUDGET_EXCEEDED: { label: 'Raise the budget', tab: 'budgets' },
  PROVIDER_AUTH: { label: 'Provider keys', tab: 'providers' },
};

/** What a person can put right by asking for something else. */
const EDITABLE = new Set([
  'PROVIDER_REJECTED',
  'PROVIDER_TIMEOUT',
  'CONTENT_BLOCKED',
  'DEADLINE',
  'POISON',
  'BUDGET_EXCEEDED',
  'QUOTA_EXCEEDED',
  'TIER_REQUIRED',
  'MODEL_RETIRED',
  'INVALID_INPUT',
  'CANCELED',
]);

const OPEN_MONEY = new Set<Cost['status']>(['reconciling', 'unpriced']);
const NOTHING = 'Nothing was charged';
const NO_ANSWER = 'No answer came: if it was begun, it is among your jobs';

/** The failure of a generation; null when it goes well, or ended well. */
export function failureOf(generation: Generation): Failure | null {
  const trouble = generation.trouble ?? null;
  if (trouble?.will_retry) return passing(generation, trouble);
  if (!['failed', 'canceled', 'expired'].includes(generation.status)) return null;
  const canceled = generation.status === 'canceled';
  const code = generation.error?.code ?? (canceled ? 'CANCELED' : 'INTERNAL');
  const providers = trouble?.other_providers ?? [];
  return {
    tone: canceled ? 'plain' : 'bad',
    title: titleOf(code),
    why: canceled ? null : (generation.error?.message ?? null),
    money: moneyOf(generation.cost),
    next: canceled ? 'It is not begun again by itself.' : 'Penstock does not try again by itself.',
    nextAt: null,
    advice: trouble?.advice ?? null,
    canRetry: trouble?.can_retry ?? true,
    providers,
    canEdit: EDITABLE.has(code),
    remedy: REMEDIES[code] ?? null,
    code,
    reference: generation.id,
  };
}

/** Whether it has failed for now, as far as what is known of it is still so. */
export function isFailing(job: Job): job is Job & { resource: Generation } {
  return Boolean(job.resource?.trouble) && job.resource?.seq === job.seq && !job.cancelRequested;
}

/** The failure of a request that was not taken: nothing began, so nothing costs anything. */
export function refusalOf(error: unknown): Failure {
  const problem = asProblem(error);
  const resets = problem.details.resets_at;
  const { retryAfterS } = problem;
  const later = retryAfterS !== null ? new Date(Date.now() + retryAfterS * 1000).toISOString() : null;
  return {
    tone: 'bad',
    title: titleOf(problem.code),
    why: problem.message,
    money: {
      short: problem.status === 0 ? NO_ANSWER : `Nothing was begun, and ${NOTHING.toLowerCase()}`,
      story: null,
    },
    next: later || resets ? 'It is worth trying again' : 'Penstock does nothing more by itself.',
    nextAt: typeof resets === 'string' ? resets : later,
    advice: null,
    canRetry: problem.retryable || problem.code === 'BUDGET_EXCEEDED',
    providers: [],
    canEdit: EDITABLE.has(problem.code),
    remedy: REMEDIES[problem.code] ?? null,
    code: problem.code,
    reference: problem.requestId,
  };
}

/** It failed, but it is not over. */
function passing(generation: Generation, trouble: NonNullable<Generation['trouble']>): Failure {
  const code = trouble.last_error?.code ?? 'PROVIDER_FAILED';
  return {
    tone: 'warn',
    title: titleOf(code),
    why: trouble.last_error?.message ?? null,
    money: moneyOf(generation.cost),
    next: 'Penstock tries again',
    nextAt: trouble.next_try_at,
    advice: trouble.advice,
    canRetry: false,
    providers: [],
    canEdit: false,
    remedy: REMEDIES[code] ?? null,
    code,
    reference: generation.id,
  };
}

/** Whether it cost something, exactly. */
export function moneyOf(cost: Cost): Money {
  const story = cost.explanation;
  const nanos = cost.actual?.nanos ?? 0;
  if (cost.status === 'reserved') return { short: 'Not charged yet', story };
  if (OPEN_MONEY.has(cost.status)) return { short: 'Still being settled', story };
  if (cost.billed_to === 'byok') return { short: `${NOTHING} here`, story };
  if (nanos > 0) return { short: `${exactAmount(nanos)} was charged`, story };
  return { short: NOTHING, story: /may have billed/i.test(story) ? story : null };
}

function titleOf(code: string): string {
  return TITLES[code] ?? 'This did not work';
}
