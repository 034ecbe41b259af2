import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import type { User } from '@/api/client';
import { keys } from '@/api/keys';
import { OVERVIEW } from '@/api/overview';
import { asProblem } from '@/api/problem';
import { changeProfile } from '@/api/profile';
import { useUnsaved } from '@/app/unsaved';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import { say } from '@/ui/toasts';
import { AvatarPicker } from './AvatarPicker';
import forms from './forms.module.css';
import { Section } from './Section';

/** Who one is, and when one's days begin. */
export function ProfileSection({ user }: { user: User }) {
  const client = useQueryClient();
  const [name, setName] = useState(user.name);
  const [timezone, setTimezone] = useState(user.timezone);
  const dirty = name !== user.name || timezone !== user.timezone;
  useUnsaved(dirty);
  const save = useMutation({
    mutationFn: () => changeProfile({ name: name.trim(), timezone }),
    onSuccess: (changed) => {
      client.setQueryData(keys.me, changed);
      void client.invalidateQueries({ queryKey: OVERVIEW });
      say('The profile is saved.', 'good');
    },
  });
  const problem = save.error ? asProblem(save.error) : null;
  const atField = problem?.of('name') ?? problem?.of('timezone');
  const zones = useMemo(() => zonesWith(user.timezone), [user.timezone]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (dirty && name.trim()) save.mutate();
  };
  return (
    <Section title="Profile">
      {user.email !== null && <AvatarPicker user={user} />}
      <form onSubmit={submit} className={`${forms.form} ${forms.narrow}`}>
        <Field label="Name" error={problem?.of('name') ?? (name.trim() ? null : 'A name is needed.')}>
          {(wires) => (
            <TextInput
              {...wires}
              autoComplete="name"
              maxLength={100}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        {user.email !== null && (
          <Field label="E-mail address" hint="You sign in with it.">
            {(wires) => <TextInput {...wires} type="email" readOnly value={user.email ?? ''} />}
          </Field>
        )}
        <Field
          label="Time zone"
          hint="Days, weeks and months of quotas, budgets and reports begin there."
          error={problem?.of('timezone')}
        >
          {(wires) => <Select {...wires} value={timezone} options={zones} onChange={setTimezone} />}
        </Field>
        {problem && !atField && <ErrorCard error={problem} />}
        <div className={forms.row}>
          <Button type="submit" look="primary" busy={save.isPending} disabled={!dirty || !name.trim()}>
            Save
          </Button>
        </div>
      </form>
    </Section>
  );
}

function zonesWith(current: string) {
  const names = new Set(['UTC', current, ...Intl.supportedValuesOf('timeZone')]);
  return [...names].sort().map((name) => ({ value: name, label: name.replaceAll('_', ' ') }));
}
