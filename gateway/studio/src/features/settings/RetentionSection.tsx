import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';
import { asProblem } from '@/api/problem';
import { RETENTION, type RetentionRule, setRetention, tryRetention } from '@/api/storage';
import { useUnsaved } from '@/app/unsaved';
import { Button, IconButton } from '@/ui/Button';
import { size } from '@/ui/bytes';
import { Confirm } from '@/ui/Confirm';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import { say } from '@/ui/toasts';
import forms from './forms.module.css';
import { daysOf, type RuleWords, rulesOf, TYPES, wordsOf } from './retentionRules';
import { Section } from './Section';

function taken({ assets, bytes }: { assets: number; bytes: number }): string {
  if (assets === 1) return `1 file (${size(bytes)}) goes`;
  return `${assets.toLocaleString('en')} files (${size(bytes)}) go`;
}

const NAMES = { image: 'Pictures', video: 'Videos', audio: 'Sound', text: 'Texts' };
const CHOICES = [
  { value: '', label: 'Everything' },
  ...TYPES.map((value) => ({ value, label: NAMES[value] })),
];

/** What goes into the trash by itself; what that would be is said before the rules hold. */
export function RetentionSection({ rules }: { rules: RetentionRule[] }) {
  const client = useQueryClient();
  const [words, setWords] = useState(() => wordsOf(rules));
  const lastKey = useRef(words.length);
  const asked = rulesOf(words);
  const dirty = JSON.stringify(asked) !== JSON.stringify(rules);
  useUnsaved(dirty);
  const report = useMutation({ mutationFn: (tried: RetentionRule[]) => tryRetention(tried) });
  const save = useMutation({
    mutationFn: (next: RetentionRule[]) => setRetention(next),
    onSuccess: (kept) => {
      report.reset();
      client.setQueryData(RETENTION, kept);
      say(kept.length > 0 ? 'The rules hold from now on.' : 'Everything is kept from now on.', 'good');
    },
  });
  const set = (key: number, change: Partial<RuleWords>) =>
    setWords(words.map((one) => (one.key === key ? { ...one, ...change } : one)));
  const add = () => {
    lastKey.current += 1;
    setWords([...words, { key: lastKey.current, type: '', days: '90' }]);
  };
  const problem = report.error ?? save.error;
  return (
    <Section
      title="Retention"
      about="What is older goes to the trash by itself, where it can be restored for thirty days. Favourites and what is published stay in any case."
    >
      {words.length === 0 && <p className={forms.faint}>No rules: everything is kept.</p>}
      {words.map((one) => (
        <div key={one.key} className={forms.row}>
          <Field label="What" hideLabel>
            {(wires) => (
              <Select
                {...wires}
                value={one.type}
                options={CHOICES}
                onChange={(type) => set(one.key, { type })}
              />
            )}
          </Field>
          <span>older than</span>
          <div style={{ width: 96 }}>
            <Field label="Days" hideLabel error={daysOf(one.days) === null ? 'Whole days, 1 or more.' : null}>
              {(wires) => (
                <TextInput
                  {...wires}
                  inputMode="numeric"
                  value={one.days}
                  onChange={(event) => set(one.key, { days: event.target.value })}
                />
              )}
            </Field>
          </div>
          <span>days</span>
          <IconButton
            name="Remove the rule"
            icon={<Trash2 />}
            onClick={() => setWords(words.filter((other) => other.key !== one.key))}
          />
        </div>
      ))}
      {problem && <ErrorCard error={asProblem(problem)} />}
      <div className={forms.row}>
        <Button icon={<Plus />} onClick={add}>
          Add a rule
        </Button>
        <Button
          look="primary"
          disabled={!dirty || asked === null}
          busy={report.isPending}
          onClick={() => asked && report.mutate(asked)}
        >
          Save
        </Button>
      </div>
      <Confirm
        open={report.data !== undefined}
        title="Let these rules hold?"
        action="Let them hold"
        busy={save.isPending}
        onConfirm={() => asked && save.mutate(asked)}
        onClose={() => report.reset()}
      >
        {report.data && report.data.total.assets > 0
          ? `${taken(report.data.total)} to the trash within the hour.`
          : 'Nothing is old enough yet to go to the trash.'}
      </Confirm>
    </Section>
  );
}
