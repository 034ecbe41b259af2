import { RotateCcw } from 'lucide-react';
import { IconButton } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { Slider } from '@/ui/Slider';
import type { ControlProps } from './control';
import styles from './SliderControl.module.css';

/** A range; until it is moved the model's own value holds, and the arrow gives it back. */
export function SliderControl({ field, value, error, onChange }: ControlProps) {
  const [min, max] = [field.min ?? 0, field.max ?? 1];
  const usual = typeof field.default === 'number' ? field.default : null;
  const shown = typeof value === 'number' ? value : (usual ?? middle(min, max, field.step));
  const untouched = value === undefined && usual === null;
  const format = (n: number) => (untouched ? 'auto' : inUnits(n, field.unit));
  return (
    <div className={styles.row}>
      <Field label={field.title} hint={field.help} error={error}>
        {(wires) => (
          <Slider
            {...wires}
            min={min}
            max={max}
            step={field.step}
            value={shown}
            format={format}
            onChange={(n) => onChange(n === usual ? undefined : n)}
          />
        )}
      </Field>
      {value !== undefined && (
        <span className={styles.reset}>
          <IconButton
            size="sm"
            name={`${field.title}: the model's own`}
            icon={<RotateCcw />}
            onClick={() => onChange(undefined)}
          />
        </span>
      )}
    </div>
  );
}

function inUnits(n: number, unit: string | null): string {
  if (unit === '×') return `${n}×`;
  return unit ? `${n} ${unit}` : String(n);
}

function middle(min: number, max: number, step: number): number {
  return min + Math.round((max - min) / 2 / step) * step;
}
