import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Hourglass, Pause, Play, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { type Queue, resumeQueue } from '@/api/ops';
import { say, sayProblem } from '@/ui/toasts';
import { Act } from './Act';
import { DrainDialog } from './DrainDialog';
import { PauseDialog } from './PauseDialog';
import { PurgeDialog } from './PurgeDialog';
import styles from './QueueActions.module.css';

type Asking = 'pause' | 'drain' | 'purge' | null;

export function QueueActions({ queue, name }: { queue: Queue; name: string }) {
  const [asking, setAsking] = useState<Asking>(null);
  const learn = useLearnQueue();
  const resume = useMutation({
    mutationFn: () => resumeQueue(queue.id),
    onSuccess: (now) => {
      learn(now);
      say(`${name}: running again.`, 'good');
    },
    onError: sayProblem,
  });
  const dialog = { queue, name, onClose: () => setAsking(null), onDone: learn };
  const rests = queue.state !== 'running';
  return (
    <div className={styles.actions}>
      {rests && (
        <Act
          icon={<Play />}
          busy={resume.isPending}
          onClick={() => resume.mutate()}
          aria-label={`Resume ${name}`}
        >
          Resume
        </Act>
      )}
      <Act
        icon={rests ? undefined : <Pause />}
        onClick={() => setAsking('pause')}
        aria-label={`${rests ? 'Change the pause of' : 'Pause'} ${name}`}
      >
        {rests ? 'Change' : 'Pause'}
      </Act>
      <Act look="quiet" icon={<Hourglass />} onClick={() => setAsking('drain')} aria-label={`Drain ${name}`}>
        Drain
      </Act>
      <Act look="quiet" icon={<Trash2 />} onClick={() => setAsking('purge')} aria-label={`Purge ${name}`}>
        Purge
      </Act>
      {asking === 'pause' && <PauseDialog {...dialog} />}
      {asking === 'drain' && <DrainDialog {...dialog} />}
      {asking === 'purge' && <PurgeDialog {...dialog} />}
    </div>
  );
}

/** Shows what an action answered before the next look. */
function useLearnQueue(): (queue: Queue) => void {
  const client = useQueryClient();
  return (queue) => {
    client.setQueryData<Queue[]>(keys.ops('queues'), (known) =>
      known?.map((one) => (one.id === queue.id ? queue : one)),
    );
  };
}
