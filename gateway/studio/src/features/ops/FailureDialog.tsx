import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { discardFailures, type Failure, retryFailures } from '@/api/ops';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import { say } from '@/ui/toasts';
import styles from './Dialogs.module.css';
import { Refused } from './Refused';
import { counted } from './words';

interface Props {
  action: 'retry' | 'discard';
  failure: Failure;
  onClose: () => void;
}

const EFFECTS = {
  retry: 'Each becomes a new job of its own account, on its plan and budget.',
  discard:
    'The jobs stay as they are. The cause is hidden until something fails so again, and then counts anew.',
};

/** Acts on as many as were read about, or on none: the count is the one that the dialog opened with. */
export function FailureDialog({ action, failure, onClose }: Props) {
  const client = useQueryClient();
  const [count] = useState(failure.count);
  const act = useMutation({
    mutationFn: async () => {
      if (action === 'retry') return retryFailures(failure.fingerprint, count);
      await discardFailures(failure.fingerprint, count);
      return null;
    },
    onSuccess: (found) => {
      void client.invalidateQueries({ queryKey: keys.ops('failures') });
      if (found && found.refused.length > 0) return;
      say(found ? `${counted(found.done, 'job')} tried again.` : 'Set aside.', 'good');
      onClose();
    },
    onError: () => void client.invalidateQueries({ queryKey: keys.ops('failures') }),
  });
  const verb = action === 'retry' ? 'Retry' : 'Discard';
  const jobs = counted(count, 'failure');
  return (
    <Dialog
      open
      title={`${verb} ${jobs}`}
      size="sm"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{act.data ? 'Close' : 'Keep as they are'}</Button>
          {!act.data && (
            <Button look="primary" busy={act.isPending} onClick={() => act.mutate()}>
              {verb} {jobs}
            </Button>
          )}
        </>
      }
    >
      <div className={styles.body}>
        {act.data ? (
          <div role="status">
            <p>{counted(act.data.done, 'job')} tried again.</p>
            <Refused refused={act.data.refused} />
          </div>
        ) : (
          <p>{EFFECTS[action]}</p>
        )}
        {act.error && <ErrorCard error={act.error} />}
      </div>
    </Dialog>
  );
}
