import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, Webhook } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import {
  deleteEndpoint,
  type Endpoint,
  fetchDefaultSecret,
  rotateEndpoint,
  useEndpoints,
} from '@/api/webhooks';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { say, sayProblem } from '@/ui/toasts';
import { EndpointDialog } from './EndpointDialog';
import { EndpointRow } from './EndpointRow';
import forms from './forms.module.css';
import { SecretDialog } from './SecretDialog';
import { Section } from './Section';

interface Asked {
  endpoint: Endpoint;
  to: 'change' | 'rotate' | 'delete';
}

/** Where messages go. */
export function EndpointsSection() {
  const client = useQueryClient();
  const { data, error, refetch } = useEndpoints();
  const [making, setMaking] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [secret, setSecret] = useState<{ text: string; about: string } | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: keys.webhooks });
  const settled = { onError: sayProblem, onSettled: () => void refresh() };
  const rotate = useMutation({
    mutationFn: (endpoint: Endpoint) => rotateEndpoint(endpoint.id),
    onSuccess: (made) => {
      setAsked(null);
      if (made.secret) setSecret({ text: made.secret, about: ROTATED });
    },
    ...settled,
  });
  const remove = useMutation({
    mutationFn: (endpoint: Endpoint) => deleteEndpoint(endpoint.id),
    onSuccess: () => {
      setAsked(null);
      say('The endpoint is deleted.');
    },
    ...settled,
  });
  const show = useMutation({
    mutationFn: fetchDefaultSecret,
    onSuccess: (found) => {
      if (found.secret) setSecret({ text: found.secret, about: DEFAULT });
      else say('Only whoever may change secrets sees it.');
    },
    onError: sayProblem,
  });
  const of = (to: Asked['to']) => (asked?.to === to ? asked.endpoint : null);
  return (
    <Section
      title="Webhooks"
      about="Messages to your own servers, signed as Standard Webhooks."
      actions={
        <Button size="sm" look="primary" icon={<Plus />} onClick={() => setMaking(true)}>
          New endpoint
        </Button>
      }
    >
      {error && <ErrorCard error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={64} />}
      {data?.length === 0 && (
        <EmptyState small icon={<Webhook />} title="No endpoints yet">
          An endpoint hears of every generation that ends, and of budgets.
        </EmptyState>
      )}
      {data && data.length > 0 && (
        <ul className={forms.list}>
          {data.map((endpoint) => (
            <EndpointRow
              key={endpoint.id}
              endpoint={endpoint}
              onAsked={(to) => setAsked({ endpoint, to })}
              onChanged={() => void refresh()}
            />
          ))}
        </ul>
      )}
      {(data || error) && (
        <div className={forms.row}>
          <span className={forms.faint}>
            Messages to a URL that a request itself named have a secret too.
          </span>
          <Button size="sm" busy={show.isPending} onClick={() => show.mutate()}>
            Show it
          </Button>
        </div>
      )}
      <EndpointDialog
        open={making || of('change') !== null}
        endpoint={of('change') ?? undefined}
        onClose={() => {
          setMaking(false);
          setAsked(null);
        }}
        onDone={(text) => {
          setMaking(false);
          setAsked(null);
          if (text) setSecret({ text, about: MADE });
          void refresh();
        }}
      />
      <SecretDialog
        title="The signing secret"
        label="Signing secret"
        about={secret?.about ?? ''}
        secret={secret?.text ?? null}
        onClose={() => setSecret(null)}
      />
      <Confirm
        open={of('rotate') !== null}
        title="Rotate the secret?"
        action="Rotate the secret"
        busy={rotate.isPending}
        onConfirm={() => asked && rotate.mutate(asked.endpoint)}
        onClose={() => setAsked(null)}
      >
        A new secret is shown once. For a day messages are signed with both.
      </Confirm>
      <Confirm
        open={of('delete') !== null}
        title="Delete the endpoint?"
        action="Delete the endpoint"
        busy={remove.isPending}
        onConfirm={() => asked && remove.mutate(asked.endpoint)}
        onClose={() => setAsked(null)}
      >
        {of('delete')?.url} hears nothing any more, also of what was still to be sent.
      </Confirm>
    </Section>
  );
}

const MADE = 'Check the signature of each message with it. It is shown this once.';
const ROTATED = 'For a day messages are signed with the old one too. The new one is shown this once.';
const DEFAULT = 'It signs messages to URLs that a request itself named.';
