import { useMemo } from 'react';
import { type Asked, useCost, useCosts } from '@/api/analytics';
import type { By, Step } from './range';
import { partsOf, type Series } from './series';

/** As many parts have a colour of their own; the sixth is for the others. */
const MOST_PARTS = 5;

/** The cost of each step of time, in parts: the dearest few by name, and the rest. */
export function useCostParts(asked: Asked, step: Step, by: By) {
  const whole = useCost({ ...asked, group_by: step });
  const ranking = useCost({ ...asked, group_by: by });
  const top = (ranking.data?.rows ?? [])
    .filter((row) => row.group && row.cost.nanos > 0)
    .slice(0, MOST_PARTS);
  const names = top.map((row) => row.label ?? row.group ?? '');
  const parts = useCosts(top.map((row) => ({ ...asked, group_by: step, [by]: row.group ?? '' })));
  const loading = whole.isPending || ranking.isPending || parts.some((one) => one.isPending);
  const stamp = [whole, ...parts].map((one) => one.dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says when any of the answers changed
  const series: Series[] = useMemo(
    () =>
      loading
        ? []
        : partsOf(
            whole.data?.rows ?? [],
            names.map((name, at) => ({ name, rows: parts[at]?.data?.rows ?? [] })),
          ),
    [stamp, names.join(), loading],
  );
  return {
    series,
    steps: whole.data?.rows,
    total: whole.data?.total,
    timezone: whole.data?.timezone,
    loading,
    error: whole.error ?? ranking.error ?? parts.find((one) => one.error)?.error ?? null,
    retry: () => {
      for (const one of [whole, ranking, ...parts]) if (one.error) void one.refetch();
    },
  };
}
