import { useState } from 'react';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import { changeAll, counted } from './deeds';
import { tagsOf } from './tags';

/** Adds tags to many, or takes them away. */
export function TagDialog({
  open,
  ids,
  onClose,
}: {
  open: boolean;
  ids: readonly string[];
  onClose: () => void;
}) {
  const [typed, setTyped] = useState('');
  const tags = tagsOf(typed);
  const done = (action: 'tag' | 'untag') => {
    void changeAll(ids, action, { tags });
    setTyped('');
    onClose();
  };
  return (
    <Dialog
      open={open}
      title={`Tag ${counted(ids.length, 'item')}`}
      size="sm"
      isForm
      onClose={() => {
        setTyped('');
        onClose();
      }}
      actions={
        <>
          <Button disabled={tags.length === 0} onClick={() => done('untag')}>
            Remove
          </Button>
          <Button look="primary" disabled={tags.length === 0} onClick={() => done('tag')}>
            Add
          </Button>
        </>
      }
    >
      <Field label="Tags" hint="Separated by commas">
        {(wires) => (
          <TextInput
            {...wires}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            onKeyDown={(event) => event.key === 'Enter' && tags.length > 0 && done('tag')}
          />
        )}
      </Field>
    </Dialog>
  );
}
