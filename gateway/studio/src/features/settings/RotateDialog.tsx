import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { type ApiKey, type NewApiKey, rotateKey } from '@/api/apiKeys';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import forms from './forms.module.css';

interface Props {
  rotated: ApiKey | null;
  onMade: (key: NewApiKey) => void;
  onClose: () => void;
}

const OVERLAPS = [
  { value: '0', label: 'ends at once' },
  { value: '3600', label: 'works for one more hour' },
  { value: '86400', label: 'works for one more day' },
  { value: '604800', label: 'works for one more week' },
];

/** A successor for a key, and how long both work. */
export function RotateDialog({ rotated, onMade, onClose }: Props) {
  const [overlap, setOverlap] = useState('3600');
  const rotate = useMutation({
    mutationFn: (key: ApiKey) => rotateKey(key.id, Number(overlap)),
    onSuccess: onMade,
  });
  return (
    <Dialog
      open={rotated !== null}
      title={`Rotate “${rotated?.name ?? ''}”`}
      size="sm"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={rotate.isPending} onClick={() => rotated && rotate.mutate(rotated)}>
            Rotate
          </Button>
        </>
      }
    >
      <div className={forms.form}>
        <p>A new key with the same rights, limits and expiry is made.</p>
        <Field label="The old one">
          {(wires) => <Select {...wires} value={overlap} options={OVERLAPS} onChange={setOverlap} />}
        </Field>
        {rotate.error && <ErrorCard error={rotate.error} />}
      </div>
    </Dialog>
  );
}
