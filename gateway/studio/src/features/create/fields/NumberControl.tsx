import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import type { ControlProps } from './control';

/** A number of a wide range, typed. */
export function NumberControl({ field, value, error, onChange }: ControlProps) {
  const [min, max] = [field.min, field.max];
  const limits = min !== null && max !== null ? `${say(min)} to ${say(max)}` : null;
  const hint = [field.help, limits && `${limits}${field.unit ? ` ${field.unit}` : ''}.`]
    .filter(Boolean)
    .join(' ');
  return (
    <Field label={field.title} hint={hint} error={error}>
      {(wires) => (
        <TextInput
          {...wires}
          type="number"
          inputMode="decimal"
          min={min ?? undefined}
          max={max ?? undefined}
          step={field.step}
          value={typeof value === 'number' ? value : ''}
          placeholder={field.default === null ? 'Auto' : String(field.default)}
          onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.valueAsNumber)}
        />
      )}
    </Field>
  );
}

function say(n: number): string {
  return n.toLocaleString('en');
}
