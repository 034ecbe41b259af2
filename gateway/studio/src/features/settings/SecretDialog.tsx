import { Button } from '@/ui/Button';
import { CopyField } from '@/ui/CopyField';
import { Dialog } from '@/ui/Dialog';
import forms from './forms.module.css';

interface Props {
  title: string;
  label: string;
  /** Null closes it. */
  secret: string | null;
  about: string;
  onClose: () => void;
}

/** A secret that is shown this once. */
export function SecretDialog({ title, label, secret, about, onClose }: Props) {
  return (
    <Dialog
      open={secret !== null}
      title={title}
      isForm
      onClose={onClose}
      actions={
        <Button look="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <div className={forms.form}>
        <p>{about}</p>
        <CopyField label={label} text={secret ?? ''} />
      </div>
    </Dialog>
  );
}
