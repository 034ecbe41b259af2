import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';

interface Props {
  label: string;
  /** Local, as the field and the address have it. */
  value: string | undefined;
  onChange: (value: string) => void;
}

/** A day and a time that a list begins or ends at. */
export function Moment({ label, value = '', onChange }: Props) {
  return (
    <Field label={label}>
      {(wires) => (
        <TextInput
          {...wires}
          type="datetime-local"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
