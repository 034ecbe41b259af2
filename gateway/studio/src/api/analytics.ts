import { useQueries, useQuery } from '@tanstack/react-query';
import { address } from './address';
import { api, type Schema, unwrapped } from './client';
import { keys } from './keys';
import { problemOf } from './problem';
import { sessionFetch } from './session';

export type CostReport = Schema['CostAnalyticsResource'];
export type CostRow = Schema['CostSums'];
export type UsageReport = Schema['UsageAnalyticsResource'];
export type UsageRow = Schema['UsageSums'];
export type ProviderReport = Schema['ProviderAnalyticsResource'];
export type ProviderRow = Schema['ProviderSums'];
export type Forecast = Schema['ForecastResource'];

export type Report = 'cost' | 'usage' | 'provider';
/** Days are those of the account's time zone. */
export interface Asked {
  from: string;
  to: string;
  project?: string;
  group_by?: string;
  provider?: string;
  model?: string;
  kind?: string;
}

const PATHS = {
  cost: '/api/analytics/cost',
  usage: '/api/analytics/usage',
  provider: '/api/analytics/provider',
} as const;

/** The reports are files for spreadsheets too; asked for like this they are JSON. */
function asJson(asked: Asked) {
  return { params: { query: asked as never } };
}

export function useCost(asked: Asked) {
  return useQuery(costQuery(asked));
}

/** The same report several times, one for each part of the whole. */
export function useCosts(asked: readonly Asked[]) {
  return useQueries({ queries: asked.map(costQuery) });
}

function costQuery(asked: Asked) {
  return {
    queryKey: keys.analytics('cost', { ...asked }),
    queryFn: (): Promise<CostReport> => unwrapped(api.GET('/api/analytics/cost', asJson(asked)) as never),
  };
}

export function useUsage(asked: Asked) {
  return useQuery({
    queryKey: keys.analytics('usage', { ...asked }),
    queryFn: (): Promise<UsageReport> => unwrapped(api.GET('/api/analytics/usage', asJson(asked)) as never),
  });
}

export function useComparison(asked: Asked) {
  return useQuery({
    queryKey: keys.analytics('provider', { ...asked }),
    queryFn: (): Promise<ProviderReport> =>
      unwrapped(api.GET('/api/analytics/provider', asJson(asked)) as never),
  });
}

export function useForecast(period: 'week' | 'month', project?: string) {
  const query = { period, ...(project && { project }) };
  return useQuery({
    queryKey: keys.analytics('forecast', query),
    queryFn: (): Promise<Forecast> =>
      unwrapped(api.GET('/api/analytics/forecast', { params: { query: query as never } })),
  });
}

/** The report as a file for a spreadsheet. */
export async function fetchCsv(report: Report, asked: Asked): Promise<Blob> {
  const query = new URLSearchParams({ ...asked, format: 'csv' });
  const url = new URL(`${address(PATHS[report])}?${query}`, location.href);
  const response = await sessionFetch(new Request(url));
  if (!response.ok) throw problemOf(response, await response.json().catch(() => null));
  return response.blob();
}
