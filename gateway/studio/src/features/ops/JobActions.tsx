import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Ban, Play, RotateCcw, Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { keys } from '@/api/keys';
import type { OpsJobDetail } from '@/api/ops';
import { cancelJob, deleteJob, retryJob, runJobNow } from '@/api/opsJobs';
import { Confirm } from '@/ui/Confirm';
import { say, sayProblem } from '@/ui/toasts';
import { Act } from './Act';
import { useMayAct } from './access';
import styles from './QueueActions.module.css';
import { RetryElsewhere } from './RetryElsewhere';

const RETRIABLE = new Set(['failed', 'canceled', 'expired']);

export function JobActions({ job }: { job: OpsJobDetail }) {
  const may = useMayAct();
  const deeds = useDeeds(job);
  const { asking, setAsking } = deeds;
  const open = job.status === 'queued' || job.status === 'running';
  const retriable = RETRIABLE.has(job.status);
  const unless = (possible: boolean, why: string) => (may && !possible ? why : undefined);
  return (
    <div className={styles.actions}>
      <Act
        icon={<RotateCcw />}
        busy={deeds.retry.isPending}
        disabled={!retriable}
        title={unless(retriable, 'Only what failed, expired or was canceled can be tried again.')}
        onClick={() => deeds.retry.mutate(undefined)}
      >
        Retry
      </Act>
      {retriable && <RetryElsewhere job={job} onRetry={(provider) => deeds.retry.mutate(provider)} />}
      <Act
        icon={<Play />}
        busy={deeds.run.isPending}
        disabled={job.status !== 'queued' || job.run_now}
        title={unless(job.status === 'queued', 'Only what queues can be run now.')}
        onClick={() => deeds.run.mutate()}
      >
        Run now
      </Act>
      {open ? (
        <Act icon={<Ban />} disabled={job.cancel_requested} onClick={() => setAsking('stop')}>
          Cancel
        </Act>
      ) : (
        <Act icon={<Trash2 />} onClick={() => setAsking('remove')}>
          Delete
        </Act>
      )}
      <Asked
        open={asking === 'stop'}
        title="Cancel this job?"
        action="Cancel the job"
        deed={deeds.stop}
        onClose={() => setAsking(null)}
      >
        It belongs to {job.account.name}. What queues ends at once; what runs is asked to stop. This cannot be
        undone.
      </Asked>
      <Asked
        open={asking === 'remove'}
        title="Delete this job?"
        action="Delete the job"
        deed={deeds.remove}
        onClose={() => setAsking(null)}
      >
        It goes into the trash of {job.account.name} with what it made, and can be taken back from there for
        30 days. What it cost stays in the ledger.
      </Asked>
    </div>
  );
}

interface AskedProps {
  open: boolean;
  title: string;
  action: string;
  deed: { isPending: boolean; mutate: () => void };
  onClose: () => void;
  children: ReactNode;
}

function Asked({ deed, ...props }: AskedProps) {
  return <Confirm {...props} busy={deed.isPending} onConfirm={() => deed.mutate()} />;
}

function useDeeds(job: OpsJobDetail) {
  const [asking, setAsking] = useState<'stop' | 'remove' | null>(null);
  const client = useQueryClient();
  const navigate = useNavigate();
  const look = () => void client.invalidateQueries({ queryKey: [...keys.ops('job'), job.id] });
  const done = { onError: sayProblem, onSettled: () => setAsking(null) };
  const retry = useMutation({
    mutationFn: (provider: string | undefined) => retryJob(job.id, provider),
    onSuccess: (made, provider) => {
      say(`A new job tries it again${provider ? `, at ${provider} first` : ''}; this is it.`, 'good');
      void navigate({ to: '/ops/jobs/$id', params: { id: made.id } });
    },
    ...done,
  });
  const run = useMutation({
    mutationFn: () => runJobNow(job.id),
    onSuccess: () => {
      look();
      say('It runs before all others.', 'good');
    },
    ...done,
  });
  const stop = useMutation({ mutationFn: () => cancelJob(job.id), onSuccess: look, ...done });
  const remove = useMutation({
    mutationFn: () => deleteJob(job.id),
    onSuccess: () => {
      client.removeQueries({ queryKey: [...keys.ops('job'), job.id] });
      say('Deleted. Its account can take it back for 30 days.', 'good');
      void navigate({ to: '/ops/jobs' });
    },
    ...done,
  });
  return { asking, setAsking, retry, run, stop, remove };
}
