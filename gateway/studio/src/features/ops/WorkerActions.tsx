import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '@/api/keys';
import { type OpsWorker, quietWorker } from '@/api/ops';
import { say, sayProblem } from '@/ui/toasts';
import { Act } from './Act';
import { useMayAct } from './access';

/** Has a worker begin nothing new, or begin again. */
export function WorkerActions({ worker }: { worker: OpsWorker }) {
  const client = useQueryClient();
  const may = useMayAct();
  const quiet = worker.state === 'quiet';
  const over = worker.state === 'down' || worker.state === 'draining';
  const set = useMutation({
    mutationFn: () => quietWorker(worker.id, !quiet),
    onSuccess: (now) => {
      client.setQueryData<OpsWorker[]>(keys.ops('workers'), (known) =>
        known?.map((one) => (one.id === now.id ? now : one)),
      );
      say(quiet ? 'It begins work again.' : 'It begins nothing new, and ends what it has begun.', 'good');
    },
    onError: sayProblem,
  });
  return (
    <Act
      busy={set.isPending}
      disabled={over}
      title={over && may ? 'It is ending or gone.' : undefined}
      aria-label={`${quiet ? 'Unquiet' : 'Quiet'} ${worker.host}, pid ${worker.pid}`}
      onClick={() => set.mutate()}
    >
      {quiet ? 'Unquiet' : 'Quiet'}
    </Act>
  );
}
