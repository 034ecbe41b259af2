import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { coolDown, type OpsProvider } from '@/api/ops';
import { asProblem } from '@/api/problem';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import styles from './Dialogs.module.css';
import { after, fromField, toField } from './moments';
import { ReasonField } from './ReasonField';
import { UntilField } from './UntilField';

interface Props {
  provider: OpsProvider;
  onClose: () => void;
  onDone: () => void;
}

const FIRST_MINUTES = 15;

export function CooldownDialog({ provider, onClose, onDone }: Props) {
  const [until, setUntil] = useState(() => toField(after(FIRST_MINUTES)));
  const [reason, setReason] = useState('');
  const instant = fromField(until);
  const cool = useMutation({
    mutationFn: () => coolDown(provider.id, instant ?? '', reason.trim() || null),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  const problem = cool.error ? asProblem(cool.error) : null;
  return (
    <Dialog
      open
      title={`Let ${provider.id} rest`}
      isForm
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep using it</Button>
          <Button look="primary" busy={cool.isPending} disabled={!instant} onClick={() => cool.mutate()}>
            Let it rest
          </Button>
        </>
      }
    >
      <div className={styles.body}>
        <p>
          Nothing is sent there by the platform's key before that time: other routes are taken, or it is
          waited for. What is under way there is still followed.
        </p>
        <UntilField label="Until" value={until} onChange={setUntil} error={problem?.of('until')} />
        <ReasonField value={reason} onChange={setReason} />
        {problem && !problem.of('until') && <ErrorCard error={problem} />}
      </div>
    </Dialog>
  );
}
