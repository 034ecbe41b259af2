import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { isOpen, signsUp } from '@/api/installation';
import { asProblem } from '@/api/problem';
import { logIn } from '@/api/signIn';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { PasswordInput } from '@/ui/PasswordInput';
import { TextInput } from '@/ui/TextInput';
import { length } from '@/ui/time';
import { AuthPage } from './AuthPage';
import styles from './AuthPage.module.css';
import { NothingToSignInTo } from './NothingToSignInTo';
import { enter } from './next';
import { useWait } from './waiting';

export function LoginView() {
  return isOpen() ? <NothingToSignInTo /> : <LoginForm />;
}

function LoginForm() {
  const search = useSearch({ from: '/studio/login' });
  const navigate = useNavigate();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const login = useMutation({
    mutationFn: () => logIn({ email, password }),
    onSuccess: () => enter(navigate, search.next),
  });
  const problem = login.error ? asProblem(login.error) : null;
  const wait = useWait(login.error);
  const atField = problem?.of('email') ?? problem?.of('password');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wait === 0) login.mutate();
  };
  return (
    <AuthPage
      title="Sign in"
      foot={
        signsUp() && (
          <>
            New here?{' '}
            <Link to="/studio/signup" search={{ next: search.next }}>
              Make an account
            </Link>
          </>
        )
      }
    >
      {search.ended && !problem && (
        <p role="status" className={styles.note}>
          You were signed out. Sign in to go on where you were.
        </p>
      )}
      <form method="post" onSubmit={submit} className={styles.form}>
        <Field label="E-mail address" error={problem?.of('email')}>
          {(wires) => (
            <TextInput
              {...wires}
              type="email"
              name="email"
              autoComplete="username"
              required
              autoFocus
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        <Field label="Password" error={problem?.of('password')}>
          {(wires) => (
            <PasswordInput
              {...wires}
              name="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        {problem && !atField && <ErrorCard error={problem} />}
        <Button type="submit" look="primary" busy={login.isPending} disabled={wait > 0}>
          {wait > 0 ? `Try again in ${length(wait)}` : 'Sign in'}
        </Button>
      </form>
    </AuthPage>
  );
}
