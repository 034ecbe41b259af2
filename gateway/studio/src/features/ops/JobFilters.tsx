import { SlidersHorizontal, X } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { KINDS } from '@/features/create/kinds';
import { Button } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import { useTyped } from '@/ui/typed';
import styles from './JobFilters.module.css';
import { isFiltered, type JobSearch } from './jobSearch';
import { Moment } from './Moment';

interface Props {
  search: JobSearch;
  onChange: (changes: JobSearch) => void;
  onClear: () => void;
}

const STATUSES = [
  { value: '', label: 'Any status' },
  { value: 'queued,running', label: 'Unfinished' },
  { value: 'queued', label: 'Queued' },
  { value: 'running', label: 'Running' },
  { value: 'completed', label: 'Completed' },
  { value: 'failed', label: 'Failed' },
  { value: 'canceled', label: 'Canceled' },
  { value: 'expired', label: 'Expired' },
];

const WORDS = [
  ['stage', 'Stage', 'provider_running'],
  ['provider', 'Provider', 'replicate'],
  ['model', 'Model', ''],
  ['account', 'Person', 'E-mail, name or id'],
  ['tag', 'Tag', 'hero'],
  ['code', 'Error code', 'PROVIDER_ERROR'],
  ['fingerprint', 'Fingerprint', ''],
] as const;

const RARE = ['stage', 'provider', 'model', 'account', 'tag', 'code', 'fingerprint', 'from', 'to'] as const;
const PAUSE_MS = 300;

/** All filters of the jobs; those that are seldom needed open below. */
export function JobFilters({ search, onChange, onClear }: Props) {
  const rare = RARE.filter((name) => search[name] !== undefined).length;
  const [open, setOpen] = useState(rare > 0);
  return (
    <search className={styles.filters}>
      <div className={styles.line}>
        <Typed value={search.q} onSettle={(q) => onChange({ q })}>
          {(input) => (
            <Field label="Search jobs" hideLabel>
              {(wires) => (
                <TextInput
                  {...wires}
                  {...input}
                  type="search"
                  placeholder="Id, words of the prompt or the error"
                />
              )}
            </Field>
          )}
        </Typed>
        <Select
          aria-label="Kind"
          value={search.kind ?? ''}
          options={[
            { value: '', label: 'All kinds' },
            ...KINDS.map((kind) => ({ value: kind.name, label: kind.label })),
          ]}
          onChange={(kind) => onChange({ kind })}
        />
        <Select
          aria-label="Status"
          value={search.status ?? ''}
          options={STATUSES}
          onChange={(status) => onChange({ status })}
        />
        <Button icon={<SlidersHorizontal />} aria-expanded={open} onClick={() => setOpen(!open)}>
          More{rare > 0 && ` (${rare})`}
        </Button>
        {isFiltered(search) && (
          <Button look="quiet" icon={<X />} onClick={onClear}>
            Clear
          </Button>
        )}
      </div>
      {open && (
        <div className={styles.more}>
          {WORDS.map(([name, label, example]) => (
            <Typed key={name} value={search[name]} onSettle={(value) => onChange({ [name]: value })}>
              {(input) => (
                <Field label={label}>
                  {(wires) => <TextInput {...wires} {...input} placeholder={example} />}
                </Field>
              )}
            </Typed>
          ))}
          {(['from', 'to'] as const).map((name) => (
            <Moment
              key={name}
              label={name === 'from' ? 'Made after' : 'Made before'}
              value={search[name]}
              onChange={(value) => onChange({ [name]: value })}
            />
          ))}
        </div>
      )}
    </search>
  );
}

interface TypedProps {
  value: string | undefined;
  onSettle: (value: string) => void;
  children: (input: {
    value: string;
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => void;
  }) => ReactNode;
}

/** Text that counts once nobody has typed for a moment. */
export function Typed({ value = '', onSettle, children }: TypedProps) {
  const [typed, setTyped] = useTyped(value);
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => onSettle(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onSettle]);
  return children({ value: typed, onChange: (event) => setTyped(event.target.value) });
}
