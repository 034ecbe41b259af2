import type { ReactNode } from 'react';
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

const FIELDS = ['email', 'password', 'name'];

/** The form of both doors: an address, a password, and why it did not open. */
export function Credentials(props: Props) {
  const { typed, onType, onSubmit, problem, busy, wait, action, isNew, children } = props;
  return (
    <form
      method="post"
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (wait === 0) onSubmit();
      }}
    >
      {children}
      <Field label="E-mail address" error={problem?.of('email')}>
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
        hint={isNew ? 'At least 8 characters.' : undefined}
        error={problem?.of('password')}
      >
        {(wires) => (
          <PasswordInput
            {...wires}
            name="password"
            autoComplete={isNew ? 'new-password' : 'current-password'}
            required
            minLength={isNew ? 8 : undefined}
            value={typed.password}
            onChange={(event) => onType({ password: event.target.value })}
          />
        )}
      </Field>
      {problem && !FIELDS.some((field) => problem.of(field)) && <ErrorCard error={problem} />}
      <Button type="submit" look="primary" busy={busy} disabled={wait > 0}>
        {wait > 0 ? `Try again in ${length(wait)}` : action}
      </Button>
    </form>
  );
}
