import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Ban, Play, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import type { OpsJobDetail } from '@/api/ops';
import { cancelJob, retryJob, runJobNow } from '@/api/opsJobs';
import { Confirm } from '@/ui/Confirm';
import { say, sayProblem } from '@/ui/toasts';
import { Act } from './Act';
import { useMayAct } from './access';
import styles from './QueueActions.module.css';

const RETRIABLE = new Set(['failed', 'canceled', 'expired']);

export function JobActions({ job }: { job: OpsJobDetail }) {
  const [stopping, setStopping] = useState(false);
  const may = useMayAct();
  const client = useQueryClient();
  const navigate = useNavigate();
  const look = () => void client.invalidateQueries({ queryKey: [...keys.ops('job'), job.id] });
  const open = job.status === 'queued' || job.status === 'running';
  const retry = useMutation({
    mutationFn: () => retryJob(job.id),
    onSuccess: (made) => {
      say('A new job tries it again; this is it.', 'good');
      void navigate({ to: '/ops/jobs/$id', params: { id: made.id } });
    },
    onError: sayProblem,
  });
  const run = useMutation({
    mutationFn: () => runJobNow(job.id),
    onSuccess: () => {
      look();
      say('It runs before all others.', 'good');
    },
    onError: sayProblem,
  });
  const stop = useMutation({
    mutationFn: () => cancelJob(job.id),
    onSuccess: look,
    onError: sayProblem,
    onSettled: () => setStopping(false),
  });
  const unless = (possible: boolean, why: string) => (may && !possible ? why : undefined);
  return (
    <div className={styles.actions}>
      <Act
        icon={<RotateCcw />}
        busy={retry.isPending}
        disabled={!RETRIABLE.has(job.status)}
        title={unless(
          RETRIABLE.has(job.status),
          'Only what failed, expired or was canceled can be tried again.',
        )}
        onClick={() => retry.mutate()}
      >
        Retry
      </Act>
      <Act
        icon={<Play />}
        busy={run.isPending}
        disabled={job.status !== 'queued' || job.run_now}
        title={unless(job.status === 'queued', 'Only what queues can be run now.')}
        onClick={() => run.mutate()}
      >
        Run now
      </Act>
      <Act
        icon={<Ban />}
        disabled={!open || job.cancel_requested}
        title={unless(open, 'It has ended.')}
        onClick={() => setStopping(true)}
      >
        Cancel
      </Act>
      <Confirm
        open={stopping}
        title="Cancel this job?"
        action="Cancel the job"
        busy={stop.isPending}
        onConfirm={() => stop.mutate()}
        onClose={() => setStopping(false)}
      >
        It belongs to {job.account.name}. What queues ends at once; what runs is asked to stop. This cannot be
        undone.
      </Confirm>
    </div>
  );
}
