import { useProjectChoices } from '@/api/projects';
import { Field, type Wires } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { stateWord } from '@/ui/states';
import { TextInput } from '@/ui/TextInput';
import { useTyped } from '@/ui/typed';
import styles from './FilterBar.module.css';
import type { Filters } from './filters';

interface Props {
  filters: Filters;
  fixed: Filters;
  onChange: (changes: Partial<Filters>, replace?: boolean) => void;
  about: 'assets' | 'history';
}

const STATUSES = ['queued', 'running', 'completed', 'failed', 'canceled', 'expired'].map((value) => ({
  value,
  label: stateWord(value),
}));
const STARS = [1, 2, 3, 4, 5].map((value) => ({
  value: String(value),
  label: value === 5 ? '5 stars' : `${value} or more`,
}));

/** The finer conditions. Each takes effect at once, or when one has finished typing. */
export function Conditions({ filters, fixed, onChange, about }: Props) {
  const projects = useProjectChoices();
  const loose = about === 'assets' ? [{ value: 'none', label: 'In no project' }] : [];
  const typed = (name: 'tag' | 'model' | 'seed' | 'size', hint: string) => (wires: Wires) => (
    <Typed
      {...wires}
      value={filters[name] ?? ''}
      placeholder={hint}
      numeric={name === 'seed'}
      onDone={(value) => onChange({ [name]: value || undefined }, true)}
    />
  );
  const day = (name: 'since' | 'until') => (wires: Wires) => (
    <TextInput
      {...wires}
      type="date"
      value={filters[name] ?? ''}
      onChange={(event) => onChange({ [name]: event.target.value || undefined }, true)}
    />
  );
  const choice =
    (
      name: 'status' | 'project' | 'rating' | 'sort',
      any: string,
      options: { value: string; label: string }[],
    ) =>
    (wires: Wires) => (
      <Select
        {...wires}
        value={String(filters[name] ?? '')}
        options={[{ value: '', label: any }, ...options]}
        onChange={(value) => onChange({ [name]: value || undefined } as Partial<Filters>)}
      />
    );
  const known = (projects.data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <div className={styles.conditions}>
      {about === 'history' && <Field label="Status">{choice('status', 'Any', STATUSES)}</Field>}
      {!fixed.project && <Field label="Project">{choice('project', 'Any', [...loose, ...known])}</Field>}
      <Field label="Tag">{typed('tag', 'hero')}</Field>
      <Field label="Model">{typed('model', 'flux')}</Field>
      <Field label="Seed">{typed('seed', '42')}</Field>
      <Field label="Size">{typed('size', '1024x768')}</Field>
      <Field label="Rating">{choice('rating', 'Any', STARS)}</Field>
      <Field label="From">{day('since')}</Field>
      <Field label="To">{day('until')}</Field>
      {about === 'assets' && (
        <Field label="Order">
          {choice('sort', 'Newest first', [
            { value: 'oldest', label: 'Oldest first' },
            { value: 'rating', label: 'Best first' },
          ])}
        </Field>
      )}
    </div>
  );
}

interface TypedProps extends Partial<Wires> {
  value: string;
  placeholder: string;
  numeric?: boolean;
  onDone: (value: string) => void;
}

function Typed({ value, numeric, onDone, ...rest }: TypedProps) {
  const [typed, setTyped] = useTyped(value);
  return (
    <TextInput
      {...rest}
      inputMode={numeric ? 'numeric' : undefined}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => typed.trim() !== value && onDone(typed.trim())}
      onKeyDown={(event) => event.key === 'Enter' && onDone(typed.trim())}
    />
  );
}
