import { useId } from 'react';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import { titleOf } from '../fields';
import { suggestionsFor } from '../suggestions';
import styles from './ChoiceControl.module.css';
import type { ControlProps } from './control';
import own from './SuggestedControl.module.css';

const MOST_CHIPS = 8;

/** A word or a few, with usual ones to choose from. */
export function SuggestedControl({ kind, field, value, error, onChange }: ControlProps) {
  const id = useId();
  const words = field.examples.length > 0 ? field.examples : suggestionsFor(kind, field.name);
  const text = String(value ?? '');
  const usual = typeof field.default === 'string' ? field.default : 'Auto';
  return (
    <div className={own.suggested}>
      <Field label={field.title} hint={words.length > 0 ? null : field.help} error={error}>
        {(wires) => (
          <TextInput
            {...wires}
            value={text}
            maxLength={field.maxLength ?? undefined}
            placeholder={titleOf(usual)}
            list={words.length > MOST_CHIPS ? id : undefined}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      {words.length > MOST_CHIPS && (
        <datalist id={id}>
          {words.map((word) => (
            <option key={word} value={word} />
          ))}
        </datalist>
      )}
      {words.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset would name its field twice
        <div role="group" aria-label={`${field.title}: usual ones`} className={styles.chips}>
          {words.slice(0, MOST_CHIPS).map((word) => (
            <button
              key={word}
              type="button"
              className={styles.chip}
              aria-pressed={word === text}
              onClick={() => onChange(word === text ? undefined : word)}
            >
              {word.charAt(0).toUpperCase() + word.slice(1)}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
