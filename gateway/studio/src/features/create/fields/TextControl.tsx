import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import type { ControlProps } from './control';

/** Several lines, with their count where there is a limit. */
export function TextControl({ field, value, error, onChange }: ControlProps) {
  const text = String(value ?? '');
  const count = field.maxLength === null ? undefined : { now: [...text].length, most: field.maxLength };
  return (
    <Field label={field.title} hint={field.help} error={error} count={count}>
      {(wires) => (
        <TextArea {...wires} rows={2} value={text} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}
