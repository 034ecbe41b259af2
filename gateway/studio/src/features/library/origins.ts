import type { Generation } from '@/api/client';
import type { Happening } from '@/api/history';

const WORDS = new Set(['prompt', 'text', 'messages']);

/** What was asked for beside the words, in the order of its names; what is empty is left out. */
export function parametersOf(generation: Pick<Generation, 'input'>): [string, string][] {
  return Object.entries(generation.input)
    .filter(([name, value]) => !WORDS.has(name) && value !== null && value !== '')
    .map(([name, value]): [string, string] => [labelOf(name), shownOf(value)])
    .toSorted(([a], [b]) => a.localeCompare(b));
}

export function labelOf(name: string): string {
  const words = name.replace(/_s$/, ' in seconds').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function shownOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value !== null && typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** Names whose values are not the same, with both of them. */
export function differencesOf(
  a: Record<string, string>,
  b: Record<string, string>,
): [string, string, string][] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names.filter((name) => a[name] !== b[name]).map((name) => [name, a[name] ?? '–', b[name] ?? '–']);
}

export function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

const STEPS: Record<string, string> = {
  'generation.queued': 'Queued',
  'generation.submitting': 'Sent to',
  'generation.waiting': 'Being made',
  'generation.storing': 'Fetched and kept',
  'generation.retrying': 'Tried again',
  'generation.updated': 'Changed',
  'generation.completed': 'Finished',
  'generation.failed': 'Failed',
  'generation.canceled': 'Canceled',
  'generation.expired': 'Expired',
  'generation.settled': 'Cost settled',
};

/** An event in words. */
export function stepOf({ type, data }: Pick<Happening, 'type' | 'data'>): string {
  const step = STEPS[type] ?? type.replace('generation.', '');
  if (type === 'generation.submitting')
    return data.provider ? `${step} ${data.provider}` : 'Choosing a provider';
  return step;
}
