import { SlidersHorizontal } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/ui/Button';
import { classes } from '@/ui/classes';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import styles from './AuditView.module.css';
import type { AuditSearch } from './auditSearch';
import { Typed } from './JobFilters';
import { Moment } from './Moment';

interface Props {
  search: AuditSearch;
  onChange: (changes: AuditSearch) => void;
}

const WORDS = [
  ['action', 'Action', 'queue.pause, or queue'],
  ['target', 'On', 'queue:image'],
  ['actor', 'By', 'Name or id'],
] as const;
const MOMENTS = [
  ['from', 'After'],
  ['to', 'Before'],
] as const;
const REST = ['target', 'actor', 'from', 'to'] as const;

/** What was done is asked for first; on narrow screens the rest opens below. */
export function AuditFilters({ search, onChange }: Props) {
  const rest = REST.filter((name) => search[name] !== undefined).length;
  const [open, setOpen] = useState(rest > 0);
  return (
    <search className={classes(styles.filters, !open && styles.folded)}>
      {WORDS.map(([name, label, example]) => (
        <Typed key={name} value={search[name]} onSettle={(value) => onChange({ [name]: value })}>
          {(input) => (
            <Field label={label}>
              {(wires) => (
                <TextInput
                  {...wires}
                  {...input}
                  type={name === 'action' ? 'search' : 'text'}
                  placeholder={example}
                />
              )}
            </Field>
          )}
        </Typed>
      ))}
      <Button
        icon={<SlidersHorizontal />}
        className={styles.fold}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        More{rest > 0 && ` (${rest})`}
      </Button>
      {MOMENTS.map(([name, label]) => (
        <Moment
          key={name}
          label={label}
          value={search[name]}
          onChange={(value) => onChange({ [name]: value })}
        />
      ))}
    </search>
  );
}
