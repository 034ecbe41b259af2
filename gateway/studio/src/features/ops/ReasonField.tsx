import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';

const LONGEST = 300;

/** Why somebody does it, for the others. */
export function ReasonField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field label="Reason" hint="Shown to all operators and kept in the audit log.">
      {(wires) => (
        <TextInput
          {...wires}
          value={value}
          maxLength={LONGEST}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
