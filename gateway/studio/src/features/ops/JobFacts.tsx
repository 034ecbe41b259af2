import { Link } from '@tanstack/react-router';
import type { OpsJobDetail } from '@/api/ops';
import { Breakable } from '@/ui/Breakable';
import { Money } from '@/ui/Money';
import { Time } from '@/ui/Time';
import { type Fact, Facts } from './Facts';
import { Status } from './jobColumns';
import { labelOf } from './throughput';
import { plain } from './words';

export function JobFacts({ job }: { job: OpsJobDetail }) {
  return (
    <>
      <Facts wide facts={[...what(job), ...when(job), ...cost(job)]} />
      <p>{job.generation.cost.explanation}</p>
    </>
  );
}

function what(job: OpsJobDetail): Fact[] {
  return [
    ['Status', <Status key="status" job={job} />],
    ['Kind', labelOf(job.kind)],
    ['Model', <Breakable key="model">{job.model}</Breakable>],
    [
      'Served by',
      <Breakable key="by">
        {job.provider ? `${job.provider} · ${job.provider_model ?? job.model}` : 'not chosen yet'}
      </Breakable>,
    ],
    [
      'Account',
      <Link key="account" to="/ops/jobs" search={{ account: job.account.id } as never}>
        {job.account.name}
      </Link>,
    ],
    ['Attempts', job.crashes > 0 ? `${job.attempts}, ${job.crashes} workers died` : job.attempts],
    ['Priority', job.run_now ? 'runs before all' : job.priority],
    ['Held by', job.holder ? `${job.holder.host}, pid ${job.holder.pid}` : 'nobody'],
    ...(job.parent_id
      ? ([
          [
            'Made again from',
            <Link key="parent" to="/ops/jobs/$id" params={{ id: job.parent_id }}>
              …{job.parent_id.slice(-8)}
            </Link>,
          ],
        ] as Fact[])
      : []),
  ];
}

function when(job: OpsJobDetail): Fact[] {
  const at = (name: string, instant: string | null): Fact[] =>
    instant ? [[name, <Time key={name} at={instant} />]] : [];
  return [
    ...at('Made', job.created_at),
    ...at('Started', job.started_at),
    ...at('Ended', job.completed_at),
    ...at('Looked at next', job.wake_at),
  ];
}

function cost(job: OpsJobDetail): Fact[] {
  return [
    ['Cost', job.cost ? <Money key="cost" nanos={job.cost.nanos} /> : '–'],
    ['Reserved', job.reserved ? <Money key="reserved" nanos={job.reserved.nanos} /> : '–'],
    ['Bill', plain(job.cost_status)],
  ];
}
