import { once } from '@/ui/once';

/** What a report is about, as it stands in the address. Days are `2026-11-30`. */
export interface ReportSearch {
  from?: string;
  to?: string;
  by?: By;
  step?: Step;
}

export const STEPS = ['day', 'week', 'month'] as const;
export type Step = (typeof STEPS)[number];
export const PARTS = ['provider', 'model', 'kind', 'project'] as const;
export type By = (typeof PARTS)[number];

/** As many days at most are in one report. */
export const MOST_DAYS = 366;
const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function reportSearch(search: Record<string, unknown>): ReportSearch {
  const one = <T extends string>(names: readonly T[], value: unknown) => names.find((name) => name === value);
  const by = one(PARTS, search.by);
  const step = one(STEPS, search.step);
  return {
    ...(isDay(search.from) && { from: search.from }),
    ...(isDay(search.to) && { to: search.to }),
    ...(by && { by }),
    ...(step && { step }),
  };
}

function isDay(value: unknown): value is string {
  return typeof value === 'string' && DAY.test(value) && !Number.isNaN(Date.parse(value));
}

/** The day it is in a time zone. */
export function today(timezone: string, now: Date = new Date()): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: timezone, dateStyle: 'short' }).format(now);
}

export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

export interface Preset {
  name: string;
  label: string;
  of: (now: string) => { from: string; to: string };
}

const last = (days: number) => (now: string) => ({ from: plusDays(now, 1 - days), to: now });

export const PRESETS: readonly Preset[] = [
  { name: '7', label: 'Last 7 days', of: last(7) },
  { name: '30', label: 'Last 30 days', of: last(30) },
  { name: 'month', label: 'This month', of: (now) => ({ from: `${now.slice(0, 7)}-01`, to: now }) },
  { name: '90', label: 'Last 90 days', of: last(90) },
  { name: '365', label: 'Last 365 days', of: last(365) },
];
const USUAL = last(30);

export interface Range {
  from: string;
  to: string;
  /** Such as "30", or "own" for days that somebody chose. */
  preset: string;
}

/** The days of a report: the last thirty unless the address says others; never too many, never backwards. */
export function rangeOf(search: ReportSearch, now: string): Range {
  const usual = USUAL(now);
  const to = search.to ?? usual.to;
  let from = search.from ?? (search.to ? plusDays(to, -29) : usual.from);
  if (from > to) from = to;
  const earliest = plusDays(to, 1 - MOST_DAYS);
  if (from < earliest) from = earliest;
  const preset = PRESETS.find((one) => one.of(now).from === from && one.of(now).to === to);
  return { from, to, preset: preset?.name ?? 'own' };
}

/** Days for a month, weeks for a quarter, months for a year, unless somebody chose. */
export function stepOf(search: ReportSearch, { from, to }: { from: string; to: string }): Step {
  if (search.step) return search.step;
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  return days <= 45 ? 'day' : days <= 190 ? 'week' : 'month';
}

const short = once(() => new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' }));
const month = once(() => new Intl.DateTimeFormat('en', { month: 'short', year: 'numeric', timeZone: 'UTC' }));

/** How a day, a week (by its Monday) or a month is called on an axis. */
export function stepLabel(group: string, step: Step): string {
  const day = new Date(group.length === 7 ? `${group}-01` : group);
  if (Number.isNaN(day.getTime())) return group;
  return (step === 'month' ? month() : short()).format(day);
}
