import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { deleteOwnKey, type ProviderKey, useOwnKeys } from '@/api/providers';
import { Badge, type Tone } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { stateWord } from '@/ui/states';
import { Time } from '@/ui/Time';
import { say, sayProblem } from '@/ui/toasts';
import forms from './forms.module.css';
import { OwnKeyDialog } from './OwnKeyDialog';
import { Section } from './Section';

const TONES: Record<ProviderKey['status'], Tone> = { valid: 'good', refused: 'bad', unreachable: 'warn' };

/** Keys of one's own at providers: they bill their owner, and Penstock counts nothing. */
export function OwnKeys({ providers }: { providers: string[] }) {
  const client = useQueryClient();
  const { data, error, refetch } = useOwnKeys();
  const [adding, setAdding] = useState(false);
  const [deleting, setDeleting] = useState<ProviderKey | null>(null);
  const refresh = () => {
    void client.invalidateQueries({ queryKey: keys.providers });
    void client.invalidateQueries({ queryKey: keys.models() });
  };
  const remove = useMutation({
    mutationFn: (key: ProviderKey) => deleteOwnKey(key.id),
    onSuccess: (_, key) => say(`The key for ${key.provider} is deleted.`),
    onError: sayProblem,
    onSettled: () => {
      setDeleting(null);
      refresh();
    },
  });
  return (
    <Section
      title="Your own provider keys"
      about="With a key of your own the provider bills you directly, and none of it counts against a quota or a budget here."
      actions={
        <Button size="sm" look="primary" icon={<Plus />} onClick={() => setAdding(true)}>
          Add a key
        </Button>
      }
    >
      {error && <ErrorCard error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={64} />}
      {data?.length === 0 && <p className={forms.faint}>None yet: this installation’s keys serve you.</p>}
      {data && data.length > 0 && (
        <ul className={forms.list}>
          {data.map((key) => (
            <li key={key.id} className={forms.item}>
              <div className={forms.main}>
                <span className={forms.head}>
                  <strong>{key.provider}</strong>
                  {key.key_name !== 'default' && <span>{key.key_name}</span>}
                  <Badge tone={TONES[key.status]}>{stateWord(key.status)}</Badge>
                </span>
                <span className={forms.mono}>{key.masked_key}</span>
                <span className={forms.faint}>
                  {key.last_used_at ? (
                    <>
                      used <Time at={key.last_used_at} />
                    </>
                  ) : (
                    'never used'
                  )}
                  {key.checked_at && (
                    <>
                      {' '}
                      · tried <Time at={key.checked_at} />
                    </>
                  )}
                </span>
              </div>
              <Button size="sm" onClick={() => setDeleting(key)}>
                Delete
              </Button>
            </li>
          ))}
        </ul>
      )}
      <OwnKeyDialog
        open={adding}
        providers={providers}
        onClose={() => setAdding(false)}
        onAdded={(key) => {
          setAdding(false);
          say(`The key for ${key.provider} works and is kept.`, 'good');
          refresh();
        }}
      />
      <Confirm
        open={deleting !== null}
        title={`Delete the key for ${deleting?.provider ?? ''}?`}
        action="Delete the key"
        busy={remove.isPending}
        onConfirm={() => deleting && remove.mutate(deleting)}
        onClose={() => setDeleting(null)}
      >
        What runs with it ends by it; then it is destroyed here. At the provider it stays until you revoke it
        there.
      </Confirm>
    </Section>
  );
}
