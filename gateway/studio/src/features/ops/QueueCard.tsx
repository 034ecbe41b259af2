import { Link } from '@tanstack/react-router';
import type { Queue } from '@/api/ops';
import { KINDS } from '@/features/create/kinds';
import { Badge } from '@/ui/Badge';
import { Card } from '@/ui/Card';
import { separated } from '@/ui/digits';
import { Facts } from './Facts';
import { Meter } from './Meter';
import { PauseNotice } from './PauseNotice';
import { QueueActions } from './QueueActions';
import styles from './QueueCard.module.css';
import { Ticking } from './Ticking';
import { counted, plain, span, toneOf } from './words';

/** One kind's queue: how it does, and what can be done about it. */
export function QueueCard({ queue, asOf }: { queue: Queue; asOf: number }) {
  const kind = KINDS.find((one) => one.name === queue.id);
  const { depth, wait, run, rate, slots } = queue;
  return (
    <Card
      title={kind?.label ?? plain(queue.id)}
      actions={
        <Badge tone={queue.state === 'running' ? 'good' : toneOf(queue.state)}>{plain(queue.state)}</Badge>
      }
      className={styles.card}
    >
      <dl className={styles.depth}>
        <Depth name="Due" count={depth.due} queue={queue.id} status="queued" />
        <Depth name="Later" count={depth.later} queue={queue.id} status="queued" />
        <Depth name="Running" count={depth.running} queue={queue.id} status="running" />
        <Depth name="At provider" count={depth.waiting} queue={queue.id} status="running" />
      </dl>
      <Facts
        facts={[
          [
            'Oldest',
            queue.oldest_s > 0 ? <Ticking key="oldest" since={asOf - queue.oldest_s * 1000} /> : 'none',
          ],
          ['Wait p50 / p95', percentiles(wait)],
          ['Run p50 / p95', percentiles(run)],
          ['In / out per min', `${rate.accepted_per_min} / ${rate.finished_per_min}`],
          ['Workers', workers(queue)],
          [
            slots.quiet > 0 ? `Slots (${slots.quiet} quiet)` : 'Slots',
            <Meter key="slots" label="Slots in use" used={slots.busy} total={slots.total} />,
          ],
        ]}
      />
      <PauseNotice queue={queue} />
      <QueueActions queue={queue} name={kind?.label ?? queue.id} />
    </Card>
  );
}

interface DepthProps {
  name: string;
  count: number;
  queue: string;
  status: string;
}

function Depth({ name, count, queue, status }: DepthProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Link
          to="/ops/jobs"
          search={{ kind: queue, status } as never}
          aria-label={`${counted(count, 'job')}: ${name.toLowerCase()}`}
        >
          {separated(count)}
        </Link>
      </dd>
    </div>
  );
}

function percentiles({ p50_s, p95_s }: Queue['wait']): string {
  if (p50_s === null || p95_s === null) return '–';
  return `${span(p50_s)} / ${span(p95_s)}`;
}

function workers({ workers, desired_workers }: Queue): string {
  return desired_workers > workers ? `${workers}, wants ${desired_workers}` : String(workers);
}
