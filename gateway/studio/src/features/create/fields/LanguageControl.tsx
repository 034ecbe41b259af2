import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import type { ControlProps } from './control';

const COMMON = 'en de fr es it pt nl pl sv da fi nb cs el hu ro uk ru tr ar he hi ja ko zh id vi'.split(' ');
const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'code' });

/** A language by its name; where a model takes any, the usual ones. */
export function LanguageControl({ field, value, error, onChange }: ControlProps) {
  const codes = field.choices.length > 0 ? field.choices.map((one) => String(one.value)) : COMMON;
  const chosen = String(value ?? field.default ?? '');
  const all = codes.includes(chosen) || chosen === '' ? codes : [chosen, ...codes];
  const options = all
    .map((code) => ({ value: code, label: names.of(code) ?? code }))
    .sort((a, b) => a.label.localeCompare(b.label, 'en'));
  return (
    <Field label={field.title} error={error}>
      {(wires) => (
        <Select
          {...wires}
          value={chosen}
          options={options}
          onChange={(code) => onChange(code === field.default ? undefined : code)}
        />
      )}
    </Field>
  );
}
