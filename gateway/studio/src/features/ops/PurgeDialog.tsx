import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { type Purged, purgeQueue, undoPurge } from '@/api/ops';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { say, sayProblem, sayUndoable } from '@/ui/toasts';
import styles from './Dialogs.module.css';
import type { QueueDialogProps } from './PauseDialog';
import { TypedCount } from './TypedCount';
import { counted } from './words';

/** Says first how many would be canceled, and cancels exactly as many or none. */
export function PurgeDialog({ queue, name, onClose }: QueueDialogProps) {
  const [typed, setTyped] = useState('');
  const client = useQueryClient();
  const impact = useQuery({
    queryKey: [...keys.ops('purge'), queue.id],
    queryFn: () => purgeQueue(queue.id, null),
    staleTime: 0,
    gcTime: 0,
  });
  const count = impact.data?.count;
  const purge = useMutation({
    mutationFn: () => purgeQueue(queue.id, count ?? 0),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: keys.ops('queues') });
      sayPurged(name, done, () => void client.invalidateQueries({ queryKey: keys.ops('queues') }));
      onClose();
    },
    onError: () => {
      setTyped('');
      void impact.refetch();
    },
  });
  return (
    <Dialog
      open
      title={`Purge ${name}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep</Button>
          <Button
            look="danger"
            busy={purge.isPending}
            disabled={!count || typed !== String(count)}
            onClick={() => purge.mutate()}
          >
            {count ? `Cancel ${counted(count, 'job')}` : 'Cancel them'}
          </Button>
        </>
      }
    >
      <div className={styles.body}>
        {impact.isPending && <Skeleton height={48} />}
        {impact.error && <ErrorCard error={impact.error} onRetry={() => void impact.refetch()} />}
        {count === 0 && <p>Nothing queues here, so there is nothing to purge.</p>}
        {count !== undefined && count > 0 && (
          <>
            <p>
              <span className={styles.count}>{counted(count, 'job')}</span> of all accounts would be canceled.
              Nothing is charged for them. What a provider was ever asked for stays. For ten seconds you can
              undo it, which asks for the same again; after that single ones can be tried again.
            </p>
            <TypedCount count={count} value={typed} onChange={setTyped} />
          </>
        )}
        {purge.error && <ErrorCard error={purge.error} />}
      </div>
    </Dialog>
  );
}

/** What was canceled has ended, so an undo makes new ones; what nobody pays for any more is told. */
function sayPurged(name: string, { canceled, purge }: Purged, onUndone: () => void): void {
  const words = `${name}: ${counted(canceled, 'job')} canceled.`;
  if (purge === null) {
    say(words, 'good');
    return;
  }
  const undo = async () => {
    try {
      const { done, refused } = await undoPurge(purge);
      const again = `${name}: ${counted(done, 'job')} asked for again.`;
      if (refused > 0)
        say(`${again} ${refused} could not be: the accounts may not have them made now.`, 'bad');
      else say(again, 'good');
    } catch (error) {
      sayProblem(error);
    }
    onUndone();
  };
  sayUndoable(
    words,
    () => {},
    () => void undo(),
  );
}
