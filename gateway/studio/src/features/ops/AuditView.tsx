import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { FileClock } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { type AuditEntry, fetchAudit } from '@/api/ops';
import { itemsOf } from '@/api/pages';
import { View } from '@/app/View';
import { Button } from '@/ui/Button';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import type { Column } from '@/ui/Table';
import { Time } from '@/ui/Time';
import { AuditFilters } from './AuditFilters';
import styles from './AuditView.module.css';
import { type AuditSearch, auditQueryOf, readAuditSearch } from './auditSearch';
import { Json } from './Json';
import { useListening } from './listening';
import { Rows } from './Rows';
import { Updated } from './Updated';
import { pace } from './watched';

/** Who did what to the installation; nothing here is ever changed. */
export function AuditView() {
  const search = readAuditSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  const change = (changes: AuditSearch) =>
    void navigate({
      to: '/ops/audit',
      search: readAuditSearch({ ...search, ...changes }) as never,
      replace: true,
    });
  const [open, setOpen] = useState<string | null>(null);
  const query = useAudit(search);
  const entries = itemsOf(query.data);
  const columns: Column<AuditEntry>[] = [
    ...COLUMNS,
    {
      title: 'Details',
      cell: (entry) => (
        <Button
          size="sm"
          look="quiet"
          aria-expanded={open === entry.id}
          aria-label={`${open === entry.id ? 'Hide' : 'Show'} details of ${entry.action}`}
          onClick={() => setOpen(open === entry.id ? null : entry.id)}
        >
          {open === entry.id ? 'Hide' : 'Show'}
        </Button>
      ),
    },
  ];
  return (
    <View title="Audit" actions={<Updated query={query} />}>
      <AuditFilters search={search} onChange={change} />
      {query.error && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && (
        <>
          <Loading label="Loading the audit log" />
          <Skeleton height={320} />
        </>
      )}
      {query.isSuccess && entries.length === 0 && (
        <EmptyState icon={<FileClock />} title="Nothing to see here">
          Every action of an operator is written down here, and kept for seven years.
        </EmptyState>
      )}
      {entries.length > 0 && (
        <Rows
          caption="Audit log"
          columns={columns}
          rows={entries}
          keyOf={(entry) => entry.id}
          detail={(entry) => open === entry.id && <Detail entry={entry} />}
        />
      )}
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show more
        </Button>
      )}
    </View>
  );
}

function useAudit(search: AuditSearch) {
  const listening = useListening();
  return useInfiniteQuery({
    queryKey: [...keys.ops('audit'), search],
    queryFn: ({ pageParam }) => fetchAudit(auditQueryOf(search), pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) > 1 ? false : pace(state.error, listening),
  });
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'Action', cell: (entry) => <code>{entry.action}</code> },
  { title: 'On', cell: (entry) => <code className={styles.target}>{entry.target}</code> },
  {
    title: 'By',
    cell: (entry) => (
      <>
        {entry.actor.name} <span className={styles.soft}>({entry.actor.role})</span>
      </>
    ),
  },
  { title: 'When', cell: (entry) => <Time at={entry.at} /> },
];

function Detail({ entry }: { entry: AuditEntry }) {
  return (
    <div className={styles.detail}>
      <p className={styles.soft}>
        {new Date(entry.at).toISOString()} · {entry.actor.credential}
        {entry.actor.address && ` · from ${entry.actor.address}`}
      </p>
      <Json value={entry.details} />
    </div>
  );
}
