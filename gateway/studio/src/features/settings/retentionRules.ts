import type { RetentionRule } from '@/api/storage';

export const TYPES = ['image', 'video', 'audio', 'text'] as const;
const MOST_DAYS = 36_500;

/** What the form shows of one rule; `days` as it is typed. */
export interface RuleWords {
  key: number;
  type: string;
  days: string;
}

export function wordsOf(rules: readonly RetentionRule[]): RuleWords[] {
  return rules.map((rule, key) => ({ key, type: rule.type ?? '', days: String(rule.older_than_days) }));
}

export function daysOf(written: string): number | null {
  const days = Number(written);
  return written.trim() !== '' && Number.isInteger(days) && days >= 1 && days <= MOST_DAYS ? days : null;
}

/** The rules of a form; null when one of them says no number of days. */
export function rulesOf(words: readonly RuleWords[]): RetentionRule[] | null {
  const rules: RetentionRule[] = [];
  for (const word of words) {
    const days = daysOf(word.days);
    if (days === null) return null;
    rules.push({ older_than_days: days, type: TYPES.find((one) => one === word.type) ?? null });
  }
  return rules;
}
