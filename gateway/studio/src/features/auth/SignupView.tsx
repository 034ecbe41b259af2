import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { isOpen, signsUp } from '@/api/installation';
import { asProblem } from '@/api/problem';
import { changeProfile } from '@/api/profile';
import { signUp } from '@/api/signIn';
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

const FIELDS = ['email', 'password', 'name'];

export function SignupView() {
  if (isOpen()) return <NothingToSignInTo />;
  return signsUp() ? <SignupForm /> : <Closed />;
}

function SignupForm() {
  const { next } = useSearch({ from: '/studio/signup' });
  const navigate = useNavigate();
  const [person, setPerson] = useState({ name: '', email: '', password: '' });
  const signup = useMutation({
    mutationFn: async () => {
      const { name, ...credentials } = person;
      const user = await signUp({ ...credentials, ...(name.trim() && { name: name.trim() }) });
      await keepTimeZone(user.timezone);
    },
    onSuccess: () => enter(navigate, next),
  });
  const problem = signup.error ? asProblem(signup.error) : null;
  const wait = useWait(signup.error);
  const typed = (field: keyof typeof person) => (event: React.ChangeEvent<HTMLInputElement>) =>
    setPerson({ ...person, [field]: event.target.value });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wait === 0) signup.mutate();
  };
  return (
    <AuthPage
      title="Make an account"
      foot={
        <>
          You have one?{' '}
          <Link to="/studio/login" search={{ next }}>
            Sign in
          </Link>
        </>
      }
    >
      <form method="post" onSubmit={submit} className={styles.form}>
        <Field label="Name" hint="How the studio calls you. It may stay empty." error={problem?.of('name')}>
          {(wires) => (
            <TextInput
              {...wires}
              name="name"
              autoComplete="name"
              maxLength={100}
              autoFocus
              value={person.name}
              onChange={typed('name')}
            />
          )}
        </Field>
        <Field label="E-mail address" error={problem?.of('email')}>
          {(wires) => (
            <TextInput
              {...wires}
              type="email"
              name="email"
              autoComplete="username"
              required
              value={person.email}
              onChange={typed('email')}
            />
          )}
        </Field>
        <Field label="Password" hint="At least 8 characters." error={problem?.of('password')}>
          {(wires) => (
            <PasswordInput
              {...wires}
              name="password"
              autoComplete="new-password"
              required
              minLength={8}
              value={person.password}
              onChange={typed('password')}
            />
          )}
        </Field>
        {problem && !FIELDS.some((field) => problem.of(field)) && <ErrorCard error={problem} />}
        <Button type="submit" look="primary" busy={signup.isPending} disabled={wait > 0}>
          {wait > 0 ? `Try again in ${length(wait)}` : 'Make the account'}
        </Button>
      </form>
    </AuthPage>
  );
}

/** Days and quotas begin at the person's midnight; that it could not be kept is no reason to stay outside. */
async function keepTimeZone(now: string): Promise<void> {
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (timezone && timezone !== now) await changeProfile({ timezone }).catch(() => undefined);
}

function Closed() {
  return (
    <AuthPage title="Nobody can sign up here">
      <p className={styles.lead}>Ask whoever runs this installation for an account.</p>
      <Link to="/studio/login" className={styles.go}>
        Sign in
      </Link>
    </AuthPage>
  );
}
