import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';

interface Props {
  count: number;
  value: string;
  onChange: (value: string) => void;
}

/** Has the number typed, so that nobody agrees to more than they read. */
export function TypedCount({ count, value, onChange }: Props) {
  return (
    <Field label={`Type ${count} to confirm`}>
      {(wires) => (
        <TextInput
          {...wires}
          inputMode="numeric"
          autoComplete="off"
          value={value}
          onChange={(event) => onChange(event.target.value.trim())}
        />
      )}
    </Field>
  );
}
