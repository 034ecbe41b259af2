import { type ReactNode, useId, useState } from 'react';
import { Button } from './Button';
import { Dialog } from './Dialog';

/** What ties a form to the button at the dialog's foot. */
export interface FormWires {
  id: string;
  onBusy: (busy: boolean) => void;
}

interface Props {
  open: boolean;
  title: string;
  /** The word on the button, a verb: "Save". */
  action: string;
  onClose: () => void;
  children: (wires: FormWires) => ReactNode;
}

/** A dialog around one form. It is there while the dialog is open, so it begins anew each time. */
export function FormDialog({ open, title, action, onClose, children }: Props) {
  const id = useId();
  const [busy, setBusy] = useState(false);
  return (
    <Dialog
      open={open}
      title={title}
      isForm
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} look="primary" busy={busy}>
            {action}
          </Button>
        </>
      }
    >
      {children({ id, onBusy: setBusy })}
    </Dialog>
  );
}
