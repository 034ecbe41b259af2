import { type FormEvent, type ReactNode, useState } from 'react';
import type { Problem } from '@/api/problem';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';
import { TextInput } from '@/ui/TextInput';
import { length } from '@/ui/time';
import styles from './AuthPage.module.css';

export interface Typed {
  email: string;
  password: string;
}

interface Props {
  typed: Typed;
  onType: (change: Partial<Typed>) => void;
  onSubmit: () => void;
  problem: Problem | null;
  busy: boolean;
  /** Seconds until one may try again. */
  wait: number;
  action: string;
  /** A password is chosen rather than remembered. */
  isNew?: boolean;
  /** Fields before these; the first of all has the focus. */
  children?: ReactNode;
}

const LEAST = 8;
const FIELDS = ['email', 'password', 'name'];

/** The form of both doors: an address, a password, and why it did not open. */
export function Credentials(props: Props) {
  const { typed, onType, onSubmit, problem, busy, wait, action, isNew, children } = props;
  const [tried, setTried] = useState(false);
  const noEmail = typed.email.includes('@') ? null : 'Write your e-mail address.';
  const noPassword = typed.password.length >= (isNew ? LEAST : 1) ? null : noPasswordWords(isNew);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setTried(true);
    const wrong = noEmail ? 'email' : noPassword ? 'password' : null;
    if (wrong) event.currentTarget.querySelector<HTMLElement>(`[name=${wrong}]`)?.focus();
    else if (wait === 0) onSubmit();
  };
  return (
    <form method="post" className={styles.form} noValidate onSubmit={submit}>
      {children}
      <Field label="E-mail address" error={problem?.of('email') ?? (tried ? noEmail : null)}>
        {(wires) => (
          <TextInput
            {...wires}
            type="email"
            name="email"
            autoComplete="username"
            required
            autoFocus={!children}
            value={typed.email}
            onChange={(event) => onType({ email: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Password"
        hint={isNew ? `At least ${LEAST} characters.` : undefined}
        error={problem?.of('password') ?? (tried ? noPassword : null)}
      >
        {(wires) => (
          <PasswordInput
            {...wires}
            name="password"
            autoComplete={isNew ? 'new-password' : 'current-password'}
            required
            value={typed.password}
            onChange={(event) => onType({ password: event.target.value })}
          />
        )}
      </Field>
      {problem && !FIELDS.some((field) => problem.of(field)) && <Refused problem={problem} />}
      <Button type="submit" look="primary" busy={busy} disabled={wait > 0}>
        {wait > 0 ? `Try again in ${length(wait)}` : action}
      </Button>
    </form>
  );
}

function noPasswordWords(isNew: boolean | undefined): string {
  return isNew ? `Choose one of at least ${LEAST} characters.` : 'Write your password.';
}

/** A mistyped password is nothing to report to anybody; all else has a number to quote. */
function Refused({ problem }: { problem: Problem }) {
  if (problem.code !== 'UNAUTHENTICATED') return <ErrorCard error={problem} />;
  return (
    <p role="alert" className={styles.refused}>
      {problem.message}
    </p>
  );
}
