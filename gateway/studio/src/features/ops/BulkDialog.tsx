import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { keys } from '@/api/keys';
import type { JobAction } from '@/api/ops';
import { actOnJobs, type BulkAnswer, countJobs, type Meant } from '@/api/opsJobs';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { BULK, type BulkWords } from './bulkWords';
import styles from './Dialogs.module.css';
import { Refused } from './Refused';
import { TypedCount } from './TypedCount';
import { counted } from './words';

interface Props {
  action: JobAction;
  meant: Meant;
  onClose: () => void;
  onDone: () => void;
}

const TYPED_FROM = 10;

/** Counts first what an action would reach; then does it to exactly as many, or to none. */
export function BulkDialog({ action, meant, onClose, onDone }: Props) {
  const [typed, setTyped] = useState('');
  const client = useQueryClient();
  const words = BULK[action];
  const impact = useQuery({
    queryKey: [...keys.ops('impact'), action, meant],
    queryFn: () => countJobs(action, meant),
    staleTime: 0,
    gcTime: 0,
  });
  const count = impact.data?.matched;
  const act = useMutation({
    mutationFn: () => actOnJobs(action, meant, count ?? 0),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.ops('jobs') });
      onDone();
    },
    onError: () => {
      setTyped('');
      void impact.refetch();
    },
  });
  const mustType = count !== undefined && count >= TYPED_FROM;
  const ready = Boolean(count) && (!mustType || typed === String(count));
  return (
    <Dialog
      open
      title={count === undefined ? words.title : `${words.verb} ${counted(count, 'job')}`}
      onClose={onClose}
      actions={
        act.data ? (
          <Button look="primary" onClick={onClose}>
            Close
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Keep as they are</Button>
            <Button
              look={action === 'cancel' || action === 'delete' ? 'danger' : 'primary'}
              busy={act.isPending}
              disabled={!ready}
              onClick={() => act.mutate()}
            >
              {count ? `${words.verb} ${counted(count, 'job')}` : words.verb}
            </Button>
          </>
        )
      }
    >
      <div className={styles.body}>
        {act.data ? (
          <Outcome words={words} answer={act.data} />
        ) : (
          <>
            {impact.isPending && <Skeleton height={48} />}
            {impact.error && <ErrorCard error={impact.error} onRetry={() => void impact.refetch()} />}
            {count === 0 && <p>{words.nothing}</p>}
            {count !== undefined && count > 0 && <p>{words.effect}</p>}
            {impact.data?.more && (
              <p className={styles.soft}>The oldest 1,000 at a time: repeat it for the rest.</p>
            )}
            {mustType && <TypedCount count={count} value={typed} onChange={setTyped} />}
          </>
        )}
        {act.error && <ErrorCard error={act.error} />}
      </div>
    </Dialog>
  );
}

function Outcome({ words, answer }: { words: BulkWords; answer: BulkAnswer }) {
  return (
    <div role="status" className={styles.body}>
      <p>
        <span className={styles.count}>{answer.done.toLocaleString('en')}</span> of{' '}
        {answer.matched.toLocaleString('en')} {words.done}.
        {answer.asked > 0 && ` ${counted(answer.asked, 'job')} already ran and will stop soon.`}
      </p>
      <Refused refused={answer.refused} />
    </div>
  );
}
