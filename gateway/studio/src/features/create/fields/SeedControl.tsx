import { Dices, Lock, LockOpen } from 'lucide-react';
import { IconButton } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import { drawnSeed } from '../values';
import type { ControlProps } from './control';
import styles from './SeedControl.module.css';

/** The number that makes a result come again: locked it stays, open another one is drawn each time. */
export function SeedControl({ field, value, error, onChange }: ControlProps) {
  const locked = typeof value === 'number';
  const hint = locked ? 'Locked: the same settings give the same result.' : 'Another one each time.';
  return (
    <Field label={field.title} hint={hint} error={error}>
      {(wires) => (
        <div className={styles.seed}>
          <TextInput
            {...wires}
            type="number"
            min={field.min ?? 0}
            max={field.max ?? undefined}
            value={locked ? value : ''}
            placeholder="Random"
            onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.valueAsNumber)}
          />
          <IconButton name="Draw a seed" icon={<Dices />} onClick={() => onChange(drawnSeed())} />
          <IconButton
            name="Lock the seed"
            icon={locked ? <Lock /> : <LockOpen />}
            pressed={locked}
            onClick={() => onChange(locked ? undefined : drawnSeed())}
          />
        </div>
      )}
    </Field>
  );
}
