/** Names of what is in the query cache: a list is below its noun, so that one call invalidates a whole noun. */
type Filters = Readonly<Record<string, unknown>>;

export const keys = {
  me: ['me'] as const,
  models: (kind?: string) => (kind ? (['models', kind] as const) : (['models'] as const)),
  generations: ['generations'] as const,
  generationList: (filters: Filters) => ['generations', 'list', filters] as const,
  generation: (id: string) => ['generations', 'one', id] as const,
  projects: ['projects'] as const,
  project: (id: string) => ['projects', 'one', id] as const,
  assets: (filters: Filters) => ['assets', filters] as const,
  budgets: ['budgets'] as const,
  analytics: (report: string, filters: Filters) => ['analytics', report, filters] as const,
  estimate: (request: Filters) => ['estimate', request] as const,
  apiKeys: ['api-keys'] as const,
  providers: ['providers'] as const,
  webhooks: ['webhooks'] as const,
  sessions: ['sessions'] as const,
  ops: (report: string) => ['ops', report] as const,
};
