import { Button } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import styles from './Dialogs.module.css';
import { after, PRESETS, toField } from './moments';

interface Props {
  label: string;
  /** As a `datetime-local` field has it. */
  value: string;
  onChange: (value: string) => void;
  error?: string | null;
  /** What it means when nothing is chosen; without it a time is needed. */
  open?: string;
}

/** A time to come: how long from now, or exactly when. */
export function UntilField({ label, value, onChange, error, open }: Props) {
  return (
    <>
      <fieldset className={styles.choices} style={{ border: 0, margin: 0, padding: 0 }}>
        <legend className="unseen">How long</legend>
        {open && (
          <Button size="sm" aria-pressed={value === ''} onClick={() => onChange('')}>
            {open}
          </Button>
        )}
        {PRESETS.map((preset) => (
          <Button key={preset.label} size="sm" onClick={() => onChange(toField(after(preset.minutes)))}>
            {preset.label}
          </Button>
        ))}
      </fieldset>
      <Field
        label={label}
        error={error}
        hint={`Your local time${open ? `; empty: ${open.charAt(0).toLowerCase()}${open.slice(1)}` : ''}.`}
      >
        {(wires) => (
          <TextInput
            {...wires}
            type="datetime-local"
            value={value}
            min={toField(new Date())}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
    </>
  );
}
