import { useState } from 'react';
import type { AuditQuery } from '@/api/ops';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import styles from './AuditView.module.css';
import { Typed } from './JobFilters';
import { fromField } from './moments';

interface Props {
  where: AuditQuery;
  onChange: (changes: AuditQuery) => void;
}

const WORDS = [
  ['action', 'Action', 'queue.pause, or queue'],
  ['target', 'On', 'queue:image'],
  ['actor', 'By', 'Name or id'],
] as const;

export function AuditFilters({ where, onChange }: Props) {
  return (
    <search className={styles.filters}>
      {WORDS.map(([name, label, example]) => (
        <Typed key={name} value={where[name]} onSettle={(value) => onChange({ [name]: value || undefined })}>
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
      <Moment label="After" onChange={(since) => onChange({ since })} />
      <Moment label="Before" onChange={(until) => onChange({ until })} />
    </search>
  );
}

function Moment({ label, onChange }: { label: string; onChange: (instant: string | undefined) => void }) {
  const [value, setValue] = useState('');
  return (
    <Field label={label}>
      {(wires) => (
        <TextInput
          {...wires}
          type="datetime-local"
          value={value}
          onChange={(event) => {
            setValue(event.target.value);
            onChange(fromField(event.target.value) ?? undefined);
          }}
        />
      )}
    </Field>
  );
}
