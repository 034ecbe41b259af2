import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { isOpen, signsUp } from '@/api/installation';
import { asProblem } from '@/api/problem';
import { logIn } from '@/api/signIn';
import { AuthPage } from './AuthPage';
import styles from './AuthPage.module.css';
import { Credentials } from './Credentials';
import { NothingToSignInTo } from './NothingToSignInTo';
import { enter } from './next';
import { useWait } from './waiting';

export function LoginView() {
  return isOpen() ? <NothingToSignInTo /> : <LoginForm />;
}

function LoginForm() {
  const search = useSearch({ from: '/studio/login' });
  const navigate = useNavigate();
  const [typed, setTyped] = useState({ email: '', password: '' });
  const login = useMutation({
    mutationFn: () => logIn(typed),
    onSuccess: () => enter(navigate, search.next),
  });
  const problem = login.error ? asProblem(login.error) : null;
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
      <Credentials
        typed={typed}
        onType={(change) => setTyped({ ...typed, ...change })}
        onSubmit={login.mutate}
        problem={problem}
        busy={login.isPending}
        wait={useWait(login.error)}
        action="Sign in"
      />
    </AuthPage>
  );
}
