import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { keys } from '@/api/keys';
import { asProblem } from '@/api/problem';
import { changePassword } from '@/api/profile';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';
import { say } from '@/ui/toasts';
import forms from './forms.module.css';
import { Section } from './Section';

export function PasswordSection({ email }: { email: string }) {
  const client = useQueryClient();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess: () => {
      setCurrent('');
      setNext('');
      void client.invalidateQueries({ queryKey: keys.sessions });
      say('The password is changed. All other sessions have ended.', 'good');
    },
  });
  const problem = change.error ? asProblem(change.error) : null;
  const atField = problem?.of('current_password') ?? problem?.of('new_password');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <Section title="Password" about="All other sessions end when it changes.">
      <form method="post" onSubmit={submit} className={`${forms.form} ${forms.narrow}`}>
        <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />
        <Field label="Current password" error={problem?.of('current_password')}>
          {(wires) => (
            <PasswordInput
              {...wires}
              name="current-password"
              autoComplete="current-password"
              required
              value={current}
              onChange={(event) => setCurrent(event.target.value)}
            />
          )}
        </Field>
        <Field label="New password" hint="At least 8 characters." error={problem?.of('new_password')}>
          {(wires) => (
            <PasswordInput
              {...wires}
              name="new-password"
              autoComplete="new-password"
              required
              minLength={8}
              value={next}
              onChange={(event) => setNext(event.target.value)}
            />
          )}
        </Field>
        {problem && !atField && <ErrorCard error={problem} />}
        <div className={forms.row}>
          <Button type="submit" busy={change.isPending}>
            Change the password
          </Button>
        </div>
      </form>
    </Section>
  );
}
