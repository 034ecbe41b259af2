import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { usePages } from '@/api/pages';
import { DELIVERIES, type Delivery, fetchDeliveries, redeliver, useEndpoints } from '@/api/webhooks';
import { Badge, type Tone } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { ErrorCard } from '@/ui/ErrorCard';
import { Select } from '@/ui/Select';
import { Skeleton } from '@/ui/Skeleton';
import { stateWord } from '@/ui/states';
import { Time } from '@/ui/Time';
import { say, sayProblem } from '@/ui/toasts';
import styles from './DeliveriesSection.module.css';
import forms from './forms.module.css';
import { Section } from './Section';

const TONES: Record<Delivery['state'], Tone> = {
  pending: 'plain',
  delivered: 'good',
  failed: 'bad',
  abandoned: 'warn',
};
const STATES = [
  { value: '', label: 'All' },
  { value: 'pending', label: 'Pending' },
  { value: 'delivered', label: 'Delivered' },
  { value: 'failed', label: 'Failed' },
  { value: 'abandoned', label: 'Abandoned' },
];
const SOON_MS = 2_000;
const LATER_MS = 10_000;

/** Every message of the last thirty days, and what came of it. */
export function DeliveriesSection() {
  const client = useQueryClient();
  const [state, setState] = useState('');
  const deliveries = usePages(
    [...DELIVERIES, state],
    (after) => fetchDeliveries({ state }, after),
    refreshMs,
  );
  const refresh = useMutation({ mutationFn: () => deliveries.refetch() });
  const endpoints = useEndpoints().data ?? [];
  const urlOf = ({ url, webhook_id }: Delivery) =>
    url ?? endpoints.find(({ id }) => id === webhook_id)?.url ?? 'an endpoint that is gone';
  const again = useMutation({
    mutationFn: (delivery: Delivery) => redeliver(delivery.id),
    onSuccess: () => say('It is sent again.'),
    onError: sayProblem,
    onSettled: () => void client.invalidateQueries({ queryKey: DELIVERIES }),
  });
  return (
    <Section
      title="Deliveries"
      actions={
        <div className={styles.filter}>
          <Select aria-label="Deliveries that are" value={state} options={STATES} onChange={setState} />
          <Button busy={refresh.isPending} onClick={() => refresh.mutate()}>
            Refresh
          </Button>
        </div>
      }
    >
      {deliveries.error && <ErrorCard error={deliveries.error} onRetry={() => void deliveries.refetch()} />}
      {deliveries.isPending && <Skeleton height={96} />}
      {deliveries.data && deliveries.items.length === 0 && <p className={forms.faint}>Nothing was sent.</p>}
      {deliveries.items.length > 0 && (
        <ul className={forms.list}>
          {deliveries.items.map((delivery) => (
            <li key={delivery.id} className={forms.item}>
              <Row delivery={delivery} url={urlOf(delivery)} />
              {delivery.state !== 'pending' && (
                <Button
                  size="sm"
                  busy={again.isPending && again.variables.id === delivery.id}
                  onClick={() => again.mutate(delivery)}
                >
                  Send again
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {deliveries.hasNextPage && (
        <div>
          <Button busy={deliveries.isFetchingNextPage} onClick={() => void deliveries.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Section>
  );
}

/** What is on its way arrives soon; what is new comes with whatever ends. */
function refreshMs(deliveries: readonly Delivery[]): number {
  return deliveries.some(({ state }) => state === 'pending') ? SOON_MS : LATER_MS;
}

function Row({ delivery, url }: { delivery: Delivery; url: string }) {
  const { last_status: status, last_response: response, last_error: error } = delivery;
  return (
    <div className={forms.main}>
      <span className={forms.head}>
        <strong>{delivery.type}</strong>
        <Badge tone={TONES[delivery.state]}>{stateWord(delivery.state)}</Badge>
        {status !== null && <Badge>{status}</Badge>}
      </span>
      <span className={forms.mono}>{url}</span>
      <span className={forms.faint}>
        <Time at={delivery.created_at} /> · {delivery.attempts === 1 ? '1 try' : `${delivery.attempts} tries`}
        {delivery.next_attempt_at && (
          <>
            {' '}
            · next <Time at={delivery.next_attempt_at} />
          </>
        )}
      </span>
      {(response || error) && (
        <details className={styles.details}>
          <summary>What it answered</summary>
          <pre className={styles.answer}>{error ?? response}</pre>
        </details>
      )}
    </div>
  );
}
