import { useId } from 'react';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import type { Choice } from '../fields';
import styles from './ChoiceControl.module.css';
import type { ControlProps } from './control';

const MOST_CHIPS = 12;
const UNSAID = '';

/** One of several: chips while they are few, else a list. Without a default, none is a choice too. */
export function ChoiceControl({ field, value, error, onChange }: ControlProps) {
  const chosen = value ?? field.default ?? UNSAID;
  const free = field.default === null && !field.required;
  const none: Choice[] = free ? [{ value: UNSAID, label: field.name === 'style' ? 'None' : 'Auto' }] : [];
  const choices = [...none, ...field.choices];
  const pick = (picked: string | number) => onChange(picked === field.default ? undefined : picked);
  const label = (choice: Choice) =>
    field.unit && choice.value !== UNSAID ? `${choice.label} ${field.unit}` : choice.label;
  if (choices.length <= MOST_CHIPS) {
    return (
      <Chips
        title={field.title}
        choices={choices.map((one) => ({ ...one, label: label(one) }))}
        {...{ chosen, error, pick }}
      />
    );
  }
  return (
    <Field label={field.title} error={error}>
      {(wires) => (
        <Select
          {...wires}
          value={String(chosen)}
          options={choices.map((choice) => ({ value: String(choice.value), label: label(choice) }))}
          onChange={(text) => pick(choices.find((one) => String(one.value) === text)?.value ?? UNSAID)}
        />
      )}
    </Field>
  );
}

interface ChipsProps {
  title: string;
  choices: readonly Choice[];
  chosen: unknown;
  error: string | null;
  pick: (value: string | number) => void;
}

/** All choices in sight; the arrow keys go through them. */
function Chips({ title, choices, chosen, error, pick }: ChipsProps) {
  const name = useId();
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{title}</legend>
      <div className={styles.chips}>
        {choices.map((choice) => (
          <label key={choice.value} className={styles.chip}>
            <input
              type="radio"
              className="unseen"
              name={name}
              checked={choice.value === chosen}
              onChange={() => pick(choice.value)}
            />
            {choice.label}
          </label>
        ))}
      </div>
      {error && <p className={styles.error}>{error}</p>}
    </fieldset>
  );
}
