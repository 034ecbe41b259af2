import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Generation } from '@/api/client';
import { hasEnded } from '@/api/generations';
import { fetchHappenings, fetchSubmissions } from '@/api/history';
import { keys } from '@/api/keys';
import { Badge } from '@/ui/Badge';
import { ErrorCard } from '@/ui/ErrorCard';
import { Money } from '@/ui/Money';
import { Skeleton } from '@/ui/Skeleton';
import { stateWord } from '@/ui/states';
import { Duration, Time } from '@/ui/Time';
import styles from './Details.module.css';
import { Facts } from './Facts';
import { parametersOf, secondsBetween, stepOf } from './origins';
import { nanosOf } from './words';

/** How a generation came to be: who made it and why they, with what settings, for how much, and when. */
export function Origin({ generation }: { generation: Generation }) {
  const { resolved, cost } = generation;
  const parameters = parametersOf(generation);
  return (
    <>
      <Facts
        entries={[
          ['Model', generation.model],
          ...(resolved
            ? ([
                ['Made by', `${resolved.model} at ${resolved.provider}`],
                ['Why there', resolved.reason ?? 'It was asked for'],
              ] as const)
            : []),
          ['Cost', <CostLine key="cost" cost={cost} />],
          ['Asked for', <Time key="asked" at={generation.created_at} />],
          ...timesOf(generation),
          ...(generation.parent_id
            ? [['Made from', <GenerationLink key="parent" id={generation.parent_id} />] as const]
            : []),
        ]}
      />
      {parameters.length > 0 && (
        <section className={styles.section}>
          <h3>Parameters</h3>
          <Facts entries={parameters} />
        </section>
      )}
      <Unfolding title="Submissions to providers">
        <Submissions id={generation.id} />
      </Unfolding>
      {hasEnded(generation) && (
        <Unfolding title="What happened when">
          <Trail id={generation.id} />
        </Unfolding>
      )}
    </>
  );
}

function CostLine({ cost }: { cost: Generation['cost'] }) {
  return (
    <>
      <Money nanos={nanosOf(cost)} />
      {cost.actual === null && cost.estimated && cost.status !== 'released' && ' (expected)'}
      <br />
      <span className={styles.soft}>{cost.explanation}</span>
    </>
  );
}

function GenerationLink({ id }: { id: string }) {
  return (
    <Link to="/studio/generations/$id" params={{ id }}>
      another generation
    </Link>
  );
}

function timesOf(generation: Generation): [string, ReactNode][] {
  const { created_at, started_at, completed_at } = generation;
  const waited = started_at && secondsBetween(created_at, started_at);
  const ran = started_at && completed_at && secondsBetween(started_at, completed_at);
  return [
    ...(waited ? [['Waited', <Duration key="w" seconds={waited} />] as [string, ReactNode]] : []),
    ...(ran ? [['Took', <Duration key="t" seconds={ran} />] as [string, ReactNode]] : []),
  ];
}

/** What is asked for only when somebody looks. */
function Unfolding({ title, children }: { title: string; children: ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.more} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {open && children}
    </details>
  );
}

function Submissions({ id }: { id: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.generation(id), 'submissions'],
    queryFn: () => fetchSubmissions(id),
  });
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={72} />;
  if (data.data.length === 0) return <p className={styles.soft}>Nothing was sent to a provider.</p>;
  return data.data.map((one) => (
    <div key={one.id} className={styles.paid}>
      <span className={styles.headline}>
        <strong>{one.provider}</strong>
        <Badge tone={one.error ? 'bad' : 'plain'}>{stateWord(one.state)}</Badge>
      </span>
      <span>
        {one.model} · <Money nanos={one.cost?.nanos} />
        {one.billed_to === 'byok' && ' on your own key'}
      </span>
      {one.error && <span>{String(one.error.message ?? one.error.code ?? 'It failed')}</span>}
    </div>
  ));
}

function Trail({ id }: { id: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: [...keys.generation(id), 'happenings'],
    queryFn: () => fetchHappenings(id),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={96} />;
  const begin = data[0]?.at;
  return (
    <ol className={styles.trail}>
      {data.map((one) => (
        <li key={one.seq}>
          <span>{stepOf(one)}</span>
          <span className={styles.when}>
            +<Duration seconds={secondsBetween(begin ?? one.at, one.at)} />
          </span>
        </li>
      ))}
    </ol>
  );
}
