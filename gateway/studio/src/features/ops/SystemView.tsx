import { useQuery } from '@tanstack/react-query';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import { address } from '@/api/address';
import { keys } from '@/api/keys';
import { fetchSystem, type SystemReport } from '@/api/ops';
import { View } from '@/app/View';
import { Badge } from '@/ui/Badge';
import { size } from '@/ui/bytes';
import { Card } from '@/ui/Card';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { type Fact, Facts } from './Facts';
import styles from './SystemView.module.css';
import { Updated } from './Updated';
import { POLL_MS } from './watched';
import { plain } from './words';

export function SystemView() {
  // The stores tell nobody how they do: they are asked while somebody looks.
  const query = useQuery({ queryKey: keys.ops('system'), queryFn: fetchSystem, refetchInterval: POLL_MS });
  const system = query.data;
  return (
    <View title="System" actions={<Updated query={query} measured />}>
      {query.error && !system && <ErrorCard error={query.error} onRetry={() => void query.refetch()} />}
      {query.isPending && (
        <>
          <Loading label="Loading the state of the system" />
          <Skeleton height={72} />
          <Skeleton height={240} />
        </>
      )}
      {system && (
        <>
          <Warnings warnings={system.warnings} />
          <div className={styles.cards}>
            <Card title="Parts">
              <Parts checks={system.checks} />
            </Card>
            <Card title="Postgres">
              {system.postgres ? <Facts facts={postgresOf(system.postgres)} /> : <p>It cannot be reached.</p>}
            </Card>
            <Card title="Redis">
              {system.redis ? <Facts facts={redisOf(system.redis)} /> : <p>It cannot be reached.</p>}
            </Card>
            <Card title="This installation">
              <Facts facts={installationOf(system)} />
            </Card>
            <Card title="Elsewhere">
              <ul className={styles.links}>
                {Object.entries(system.links).map(([name, path]) => (
                  <li key={name}>
                    <a href={address(path)} target="_blank" rel="noopener">
                      {plain(name)}
                    </a>
                  </li>
                ))}
              </ul>
            </Card>
          </div>
        </>
      )}
    </View>
  );
}

function Warnings({ warnings }: { warnings: SystemReport['warnings'] }) {
  if (warnings.length === 0) {
    return (
      <p className={styles.fine} role="status">
        <CircleCheck aria-hidden="true" />
        Nothing needs attention.
      </p>
    );
  }
  return (
    <ul className={styles.warnings} aria-label="Warnings">
      {warnings.map((warning) => (
        <li key={`${warning.code} ${warning.message}`}>
          <TriangleAlert aria-hidden="true" />
          {warning.message}
        </li>
      ))}
    </ul>
  );
}

function Parts({ checks }: { checks: SystemReport['checks'] }) {
  return (
    <ul className={styles.parts}>
      {Object.entries(checks).map(([name, part]) => (
        <li key={name}>
          <Badge tone={part.status === 'up' ? 'good' : 'bad'}>{plain(part.status)}</Badge>
          <span>
            {plain(name)}
            {part.reason && <small>{part.reason}</small>}
          </span>
          <span className={styles.ms}>{Math.round(part.ms)} ms</span>
        </li>
      ))}
    </ul>
  );
}

function postgresOf(postgres: NonNullable<SystemReport['postgres']>): Fact[] {
  return [
    ['Version', postgres.version],
    ['Migration', `${postgres.migration ?? 'none'} of ${postgres.wanted_migration ?? 'unknown'}`],
    ['Size', size(postgres.bytes)],
    ['Connections', `${postgres.connections} of ${postgres.max_connections}`],
    ['Clock skew', `${postgres.clock_skew_s} s`],
  ];
}

function redisOf(redis: NonNullable<SystemReport['redis']>): Fact[] {
  const most = redis.max_bytes === null ? '' : ` of ${size(redis.max_bytes)}`;
  return [
    ['Version', redis.version],
    ['Memory', redis.used_bytes === null ? 'unknown' : `${size(redis.used_bytes)}${most}`],
    ['Eviction policy', redis.eviction_policy ?? 'unknown'],
    ['Evicted keys', redis.evicted_keys ?? 'unknown'],
  ];
}

function installationOf(system: SystemReport): Fact[] {
  const { versions } = system;
  return [
    ['Penstock', versions.penstock],
    ['Workers', versions.workers.join(', ') || 'none'],
    ['Python', versions.python],
    ['Environment', system.environment],
    ['Sign-in', system.auth_mode],
    ['Executors', system.executor_processes],
  ];
}
