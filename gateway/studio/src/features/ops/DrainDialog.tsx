import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { drainQueue } from '@/api/ops';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import styles from './Dialogs.module.css';
import type { QueueDialogProps } from './PauseDialog';
import { ReasonField } from './ReasonField';

export function DrainDialog({ queue, name, onClose, onDone }: QueueDialogProps) {
  const [reason, setReason] = useState('');
  const drain = useMutation({
    mutationFn: () => drainQueue(queue.id, reason.trim() || null),
    onSuccess: (now) => {
      onDone(now);
      onClose();
    },
  });
  return (
    <Dialog
      open
      title={`Drain ${name}`}
      isForm
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep running</Button>
          <Button look="primary" busy={drain.isPending} onClick={() => drain.mutate()}>
            Drain
          </Button>
        </>
      }
    >
      <div className={styles.body}>
        <p>
          Nothing new begins, as in a pause. What has begun goes on to its end, with further attempts and
          other providers. A pause holds those back too. The state is <em>drained</em> once nothing is left;
          it stays so until somebody resumes the queue.
        </p>
        <ReasonField value={reason} onChange={setReason} />
        {drain.error && <ErrorCard error={drain.error} />}
      </div>
    </Dialog>
  );
}
