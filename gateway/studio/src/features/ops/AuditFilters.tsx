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

export function AuditFilters({ search, onChange }: Props) {
  return (
    <search className={styles.filters}>
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
