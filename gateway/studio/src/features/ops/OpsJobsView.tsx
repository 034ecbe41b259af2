import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Boxes } from 'lucide-react';
import { type Key, useMemo, useState } from 'react';
import { keys } from '@/api/keys';
import { fetchOpsJobs } from '@/api/opsJobs';
import { itemsOf } from '@/api/pages';
import { View } from '@/app/View';
import { Button } from '@/ui/Button';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { JobBulk } from './JobBulk';
import { JobFilters } from './JobFilters';
import { JOB_COLUMNS, nameOf } from './jobColumns';
import { filterOf, isFiltered, type JobSearch, readSearch } from './jobSearch';
import { Looking } from './Looking';
import { useListening } from './listening';
import { Rows } from './Rows';
import { Updated } from './Updated';
import { pace } from './watched';

/** Generations of all accounts. The filters are in the address, so that a link shows the same. */
export function OpsJobsView() {
  const search = readSearch(useSearch({ strict: false }));
  const { query, jobs } = useOpsJobs(search);
  const { chosen, toggle, forget } = useChosen(jobs.map((job) => job.id));
  const change = useChange(search, forget);
  return (
    <View title="Jobs" actions={<Updated query={query} />}>
      <Looking />
      <JobFilters search={search} onChange={change} onClear={() => change(null)} />
      <JobBulk search={search} chosen={chosen} onDone={forget} />
      {query.error && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && <Waiting />}
      {query.isSuccess && jobs.length === 0 && <Nothing filtered={isFiltered(search)} />}
      {jobs.length > 0 && (
        <Rows
          caption="Jobs"
          columns={JOB_COLUMNS}
          rows={jobs}
          keyOf={(job) => job.id}
          nameOf={nameOf}
          choice={{ chosen, toggle }}
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

/** Fresh by itself while only the first page is shown; who has gone further does not want rows to move. */
function useOpsJobs(search: JobSearch) {
  const listening = useListening();
  const query = useInfiniteQuery({
    queryKey: [...keys.ops('jobs'), search],
    queryFn: ({ pageParam }) => fetchOpsJobs(filterOf(search), pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: 0,
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 0) > 1 ? false : pace(state.error, listening),
  });
  return { query, jobs: itemsOf(query.data) };
}

function useChange(search: JobSearch, forget: () => void) {
  const navigate = useNavigate();
  return (changes: JobSearch | null) => {
    forget();
    const next = changes === null ? {} : readSearch({ ...search, ...changes });
    void navigate({ to: '/ops/jobs', search: next as never, replace: true });
  };
}

/** Rows that went out of sight are not chosen any more. */
function useChosen(shown: readonly string[]) {
  const [kept, setKept] = useState<ReadonlySet<Key>>(new Set());
  const chosen = useMemo(() => new Set(shown.filter((id) => kept.has(id))), [shown, kept]);
  const toggle = (key?: Key) => {
    const next = new Set<Key>(chosen);
    if (key === undefined) return setKept(chosen.size >= shown.length ? new Set() : new Set(shown));
    if (!next.delete(key)) next.add(key);
    setKept(next);
  };
  return { chosen, toggle, forget: () => setKept(new Set()) };
}

function Waiting() {
  return (
    <>
      <Loading label="Loading jobs" />
      <Skeleton height={420} />
    </>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  return (
    <EmptyState icon={<Boxes />} title={filtered ? 'No job matches' : 'No jobs yet'}>
      {filtered ? 'Take a filter away to see more.' : 'What anybody here generates shows up in this list.'}
    </EmptyState>
  );
}
