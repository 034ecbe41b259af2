import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { share } from '@/api/links';
import { Button } from '@/ui/Button';
import { copy } from '@/ui/clipboard';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { SegmentedControl } from '@/ui/SegmentedControl';
import { TextInput } from '@/ui/TextInput';
import styles from './ShareDialog.module.css';

export type SharedFile = { generation_id: string; n: number } | { upload_id: string };

const HOUR_S = 3600;
const TERMS = [
  { value: '1h', label: '1 hour', seconds: HOUR_S },
  { value: '24h', label: '24 hours', seconds: 24 * HOUR_S },
  { value: '7d', label: '7 days', seconds: 7 * 24 * HOUR_S },
];

interface Props {
  open: boolean;
  file: SharedFile;
  onClose: () => void;
}

/** Makes an address that anybody can open until it ends. */
export function ShareDialog({ open, file, onClose }: Props) {
  const [term, setTerm] = useState('24h');
  const seconds = TERMS.find((one) => one.value === term)?.seconds ?? HOUR_S;
  const make = useMutation({ mutationFn: () => share(file, seconds) });
  const link = make.data;
  const close = () => {
    make.reset();
    onClose();
  };
  return (
    <Dialog
      open={open}
      title="Share a link"
      onClose={close}
      actions={
        link ? (
          <Button look="primary" onClick={() => void copy(link.url, 'The link is copied.').then(close)}>
            Copy the link
          </Button>
        ) : (
          <Button look="primary" busy={make.isPending} onClick={() => make.mutate()}>
            Make the link
          </Button>
        )
      }
    >
      <div className={styles.body}>
        <p>Whoever has the link can open this file until it ends, without signing in.</p>
        {link ? (
          <Field label="Link" hint={`Works until ${new Date(link.expires_at).toLocaleString('en')}`}>
            {(wires) => (
              <TextInput {...wires} readOnly value={link.url} onFocus={(event) => event.target.select()} />
            )}
          </Field>
        ) : (
          <SegmentedControl label="It ends after" segments={TERMS} value={term} onChange={setTerm} />
        )}
        {make.error && <ErrorCard error={make.error} />}
      </div>
    </Dialog>
  );
}
