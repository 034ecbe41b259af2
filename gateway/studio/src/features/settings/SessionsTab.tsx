import { useMutation, useQueryClient } from '@tanstack/react-query';
import { MonitorSmartphone } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { endSession, type Session, useSessions } from '@/api/profile';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { Time } from '@/ui/Time';
import { say, sayProblem } from '@/ui/toasts';
import { device } from './device';
import forms from './forms.module.css';
import { Section } from './Section';

export default function SessionsTab() {
  const client = useQueryClient();
  const { data, error, refetch } = useSessions();
  const [ending, setEnding] = useState<Session[]>([]);
  const end = useMutation({
    mutationFn: (sessions: Session[]) => Promise.all(sessions.map((one) => endSession(one.id))),
    onSuccess: (_, sessions) => say(`Signed out on ${counted(sessions.length)}.`, 'good'),
    onError: sayProblem,
    onSettled: () => {
      setEnding([]);
      void client.invalidateQueries({ queryKey: keys.sessions });
    },
  });
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={240} />;
  if (data.length === 0) {
    return (
      <Section title="Sessions">
        <EmptyState small icon={<MonitorSmartphone />} title="Nobody is signed in">
          Sessions begin when somebody signs in with an e‑mail address and a password. An open installation
          has none.
        </EmptyState>
      </Section>
    );
  }
  const others = data.filter((one) => !one.current);
  return (
    <Section
      title="Sessions"
      about="Where you are signed in. What you do not know, end, and change the password."
      actions={
        others.length > 0 && (
          <Button size="sm" onClick={() => setEnding(others)}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      <ul className={forms.list}>
        {data.map((session) => (
          <li key={session.id} className={forms.item}>
            <div className={forms.main}>
              <span className={forms.head}>
                <strong>{device(session.user_agent)}</strong>
                {session.current && <Badge tone="good">This one</Badge>}
              </span>
              <span className={forms.faint}>
                {session.address ?? 'unknown address'} · used <Time at={session.last_used_at} /> · since{' '}
                <Time at={session.created_at} /> · ends <Time at={session.expires_at} />
              </span>
            </div>
            {!session.current && (
              <Button size="sm" onClick={() => setEnding([session])}>
                Sign out
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Confirm
        open={ending.length > 0}
        title={`Sign out on ${counted(ending.length)}?`}
        action="Sign out"
        busy={end.isPending}
        onConfirm={() => end.mutate(ending)}
        onClose={() => setEnding([])}
      >
        {ending.map((one) => device(one.user_agent)).join(', ')}. Whoever is there must sign in again.
      </Confirm>
    </Section>
  );
}

function counted(count: number): string {
  return count === 1 ? '1 device' : `${count} devices`;
}
