import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Users } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '@/api/me';
import { usePages } from '@/api/pages';
import { changePerson, fetchPeople, PEOPLE, type Person } from '@/api/people';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { Time } from '@/ui/Time';
import { say, sayProblem } from '@/ui/toasts';
import forms from './forms.module.css';
import { NewUserPlan } from './NewUserPlan';
import { PersonPlan } from './PersonPlan';
import { Section } from './Section';

const ROLES = [
  { value: 'viewer', label: 'Viewer' },
  { value: 'user', label: 'User' },
  { value: 'operator', label: 'Operator' },
  { value: 'admin', label: 'Admin' },
];
type Change = { person: Person; role?: Person['role']; status?: Person['status'] };

/** Everybody who signed up, for those who run the installation. */
export default function PeopleTab() {
  const client = useQueryClient();
  const me = useMe().data;
  const people = usePages(PEOPLE, fetchPeople);
  const [suspending, setSuspending] = useState<Person | null>(null);
  const change = useMutation({
    mutationFn: ({ person, ...changes }: Change) => changePerson(person.id, changes),
    onSuccess: (person) => say(`${person.email}: ${person.role}, ${person.status}.`, 'good'),
    onError: sayProblem,
    onSettled: () => {
      setSuspending(null);
      void client.invalidateQueries({ queryKey: PEOPLE });
    },
  });
  if (me && me.role !== 'admin') {
    return <EmptyState icon={<Users />} title="Only admins see the people of this installation" />;
  }
  return (
    <>
      <Section title="People">
        {people.error && <ErrorCard error={people.error} onRetry={() => void people.refetch()} />}
        {people.isPending && <Skeleton height={200} />}
        {people.data && people.items.length === 0 && (
          <EmptyState small icon={<Users />} title="Nobody has signed up">
            An open installation has one account, and nobody signs in.
          </EmptyState>
        )}
        {people.items.length > 0 && (
          <ul className={forms.list}>
            {people.items.map((person) => (
              <li key={person.id} className={forms.item}>
                <div className={forms.main}>
                  <span className={forms.head}>
                    <strong>{person.name ?? person.email}</strong>
                    {person.id === me?.id && <Badge tone="accent">You</Badge>}
                    {person.status === 'suspended' && <Badge tone="bad">Suspended</Badge>}
                  </span>
                  <span className={forms.faint}>
                    {person.email} · since <Time at={person.created_at} />
                  </span>
                </div>
                {person.id !== me?.id && (
                  <div className={forms.row}>
                    <PersonPlan person={person} />
                    <Select
                      aria-label={`Role of ${person.email}`}
                      value={person.role}
                      options={ROLES}
                      disabled={change.isPending}
                      style={{ width: 128 }}
                      onChange={(role) => change.mutate({ person, role: role as Person['role'] })}
                    />
                    {person.status === 'suspended' ? (
                      <Button onClick={() => change.mutate({ person, status: 'active' })}>
                        Let in again
                      </Button>
                    ) : (
                      <Button onClick={() => setSuspending(person)}>Suspend</Button>
                    )}
                  </div>
                )}
              </li>
            ))}
          </ul>
        )}
        {people.hasNextPage && (
          <div>
            <Button busy={people.isFetchingNextPage} onClick={() => void people.fetchNextPage()}>
              Show more
            </Button>
          </div>
        )}
      </Section>
      <NewUserPlan />
      <Confirm
        open={suspending !== null}
        title={`Suspend ${suspending?.email ?? ''}?`}
        action="Suspend"
        busy={change.isPending}
        onConfirm={() => suspending && change.mutate({ person: suspending, status: 'suspended' })}
        onClose={() => setSuspending(null)}
      >
        They can do nothing until you let them in again. Nothing of theirs is lost.
      </Confirm>
    </>
  );
}
