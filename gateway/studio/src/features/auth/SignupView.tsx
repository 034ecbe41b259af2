import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { isOpen, signsUp } from '@/api/installation';
import { asProblem } from '@/api/problem';
import { changeProfile } from '@/api/profile';
import { signUp } from '@/api/signIn';
import { Field } from '@/ui/Field';
import { TextInput } from '@/ui/TextInput';
import { AuthPage } from './AuthPage';
import styles from './AuthPage.module.css';
import { Credentials } from './Credentials';
import { NothingToSignInTo } from './NothingToSignInTo';
import { enter } from './next';
import { useWait } from './waiting';

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
      <Credentials
        typed={person}
        onType={(change) => setPerson({ ...person, ...change })}
        onSubmit={signup.mutate}
        problem={problem}
        busy={signup.isPending}
        wait={useWait(signup.error)}
        action="Make the account"
        isNew
      >
        <Field label="Name" hint="How the studio calls you. It may stay empty." error={problem?.of('name')}>
          {(wires) => (
            <TextInput
              {...wires}
              name="name"
              autoComplete="name"
              maxLength={100}
              autoFocus
              value={person.name}
              onChange={(event) => setPerson({ ...person, name: event.target.value })}
            />
          )}
        </Field>
      </Credentials>
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
