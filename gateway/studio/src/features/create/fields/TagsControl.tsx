import { useState } from 'react';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import type { ControlProps } from './control';

/** Several words, parted by commas. */
export function TagsControl({ field, value, error, onChange }: ControlProps) {
  const [text, setText] = useState(() => (Array.isArray(value) ? value.join(', ') : ''));
  return (
    <Field label={field.title} hint={field.help ?? 'Several, with commas between them.'} error={error}>
      {(wires) => (
        <TextInput
          {...wires}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            onChange(wordsOf(event.target.value));
          }}
        />
      )}
    </Field>
  );
}

function wordsOf(text: string): string[] {
  return text
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean);
}
