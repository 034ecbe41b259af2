import type { Throughput } from '@/api/ops';
import { KINDS } from '@/features/create/kinds';
import { stateWord } from '@/ui/states';

export type By = 'outcome' | 'kind';

export interface Series {
  name: string;
  /** A token of the theme. */
  colour: string;
  values: readonly number[];
}

const OUTCOMES = [
  { name: 'completed', colour: '--series-1' },
  { name: 'failed', colour: '--bad' },
  { name: 'canceled', colour: '--series-6' },
  { name: 'expired', colour: '--series-2' },
] as const;

type One = Throughput['data'][number];

function ended(one: One): number[] {
  return summed(OUTCOMES.map((outcome) => one[outcome.name]));
}

function summed(rows: readonly (readonly number[])[]): number[] {
  const length = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length }, (_, at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0));
}

/** What ended in each minute, split by how it ended or by what it was; of one kind when one is named. */
export function seriesOf({ data }: Throughput, by: By, kind = ''): Series[] {
  const meant = data.filter((one) => kind === '' || one.kind === kind);
  if (by === 'outcome') {
    return OUTCOMES.map(({ name, colour }) => ({
      name: stateWord(name),
      colour,
      values: summed(meant.map((one) => one[name])),
    }));
  }
  return meant.map((one) => ({
    name: labelOf(one.kind),
    colour: `--series-${(KINDS.findIndex(({ name }) => name === one.kind) % 6) + 1}`,
    values: ended(one),
  }));
}

/** What was accepted in each minute. */
export function acceptedOf({ data }: Throughput, kind = ''): number[] {
  return summed(data.filter((one) => kind === '' || one.kind === kind).map((one) => one.accepted));
}

export function labelOf(kind: string): string {
  return KINDS.find((one) => one.name === kind)?.label ?? kind;
}
