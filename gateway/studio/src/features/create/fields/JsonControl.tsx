import { useState } from 'react';
import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import type { ControlProps } from './control';
import styles from './JsonControl.module.css';

/** Anything that has no control of its own, as JSON. */
export function JsonControl({ field, value, error, onChange }: ControlProps) {
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)));
  const [broken, setBroken] = useState(false);
  const read = (typed: string) => {
    setText(typed);
    try {
      onChange(typed.trim() === '' ? undefined : JSON.parse(typed));
      setBroken(false);
    } catch {
      setBroken(true);
      onChange(undefined);
    }
  };
  return (
    <Field
      label={field.title}
      hint={field.help}
      error={broken ? 'This is not JSON yet, and is left out.' : error}
    >
      {(wires) => (
        <TextArea
          {...wires}
          rows={3}
          spellCheck={false}
          className={styles.code}
          value={text}
          onChange={(event) => read(event.target.value)}
        />
      )}
    </Field>
  );
}
