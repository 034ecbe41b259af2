import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { pauseQueue, type Queue } from '@/api/ops';
import { asProblem } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import styles from './Dialogs.module.css';
import { fromField, toField } from './moments';
import { ReasonField } from './ReasonField';
import { UntilField } from './UntilField';

export interface QueueDialogProps {
  queue: Queue;
  name: string;
  onClose: () => void;
  onDone: (queue: Queue) => void;
}

export function PauseDialog({ queue, name, onClose, onDone }: QueueDialogProps) {
  const before = queue.pause?.mode === 'pause' ? queue.pause : null;
  const [until, setUntil] = useState(before?.until ? toField(new Date(before.until)) : '');
  const [reason, setReason] = useState(before?.reason ?? '');
  const pause = useMutation({
    mutationFn: () => pauseQueue(queue.id, fromField(until), reason.trim() || null),
    onSuccess: (now) => {
      onDone(now);
      onClose();
    },
  });
  const problem = pause.error ? asProblem(pause.error) : null;
  return (
    <Dialog
      open
      title={`Pause ${name}`}
      isForm
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep as it is</Button>
          <Button look="primary" busy={pause.isPending} onClick={() => pause.mutate()}>
            Pause
          </Button>
        </>
      }
    >
      <div className={styles.body}>
        <p>
          Nothing of this queue is submitted while it rests, and what comes in waits. What a provider is
          working on is fetched all the same.
        </p>
        <UntilField
          label="Until"
          open="Until I resume it"
          value={until}
          onChange={setUntil}
          error={problem?.of('until')}
        />
        <ReasonField value={reason} onChange={setReason} />
        {problem && !problem.of('until') && <ErrorCard error={problem} />}
      </div>
    </Dialog>
  );
}
