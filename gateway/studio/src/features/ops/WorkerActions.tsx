import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { type OpsWorker, quietWorker, stopWorker } from '@/api/ops';
import { Confirm } from '@/ui/Confirm';
import { say, sayProblem } from '@/ui/toasts';
import { Act } from './Act';
import { useMayAct } from './access';
import styles from './QueueActions.module.css';

/** Has a worker begin nothing new, or begin again, or end. */
export function WorkerActions({ worker }: { worker: OpsWorker }) {
  const may = useMayAct();
  const [stopping, setStopping] = useState(false);
  const quiet = worker.state === 'quiet';
  const over = worker.state === 'down' || worker.state === 'draining';
  const why = over && may ? 'It is ending or gone.' : undefined;
  const name = `${worker.host}, pid ${worker.pid}`;
  const set = useDeed(
    () => quietWorker(worker.id, !quiet),
    quiet ? 'It begins work again.' : 'It begins nothing new, and ends what it has begun.',
  );
  const stop = useDeed(() => stopWorker(worker.id), 'It ends as soon as what it pays for is done.');
  return (
    <div className={styles.actions}>
      <Act
        busy={set.isPending}
        disabled={over}
        title={why}
        aria-label={`${quiet ? 'Unquiet' : 'Quiet'} ${name}`}
        onClick={() => set.mutate()}
      >
        {quiet ? 'Unquiet' : 'Quiet'}
      </Act>
      <Act
        look="quiet"
        busy={stop.isPending}
        disabled={over}
        title={why}
        aria-label={`Stop ${name}`}
        onClick={() => setStopping(true)}
      >
        Stop
      </Act>
      <Confirm
        open={stopping}
        title="Stop this worker?"
        action="Stop it"
        onConfirm={() => {
          setStopping(false);
          stop.mutate();
        }}
        onClose={() => setStopping(false)}
      >
        <p>
          {name} lets paid calls finish, gives the rest to other workers, and ends. What keeps workers running
          starts another in its place; to have fewer, tell that.
        </p>
      </Confirm>
    </div>
  );
}

function useDeed(deed: () => Promise<OpsWorker>, words: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: deed,
    onSuccess: (now) => {
      client.setQueryData<OpsWorker[]>(keys.ops('workers'), (known) =>
        known?.map((one) => (one.id === now.id ? now : one)),
      );
      say(words, 'good');
    },
    onError: sayProblem,
  });
}
