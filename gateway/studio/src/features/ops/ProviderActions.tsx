import { useMutation, useQueryClient } from '@tanstack/react-query';
import { RotateCcw, Snowflake, Stethoscope } from 'lucide-react';
import { useState } from 'react';
import { keys } from '@/api/keys';
import { checkProvider, type OpsProvider, resetProvider } from '@/api/ops';
import { say, sayProblem } from '@/ui/toasts';
import { Act } from './Act';
import { CooldownDialog } from './CooldownDialog';
import styles from './QueueActions.module.css';

const TONES = { valid: 'good', refused: 'bad', unreachable: 'bad', unset: 'plain' } as const;
const SAYS = {
  valid: 'answers and takes the key',
  refused: 'refuses the key',
  unreachable: 'gave no clear answer',
  unset: 'has no key here',
};

export function ProviderActions({ provider }: { provider: OpsProvider }) {
  const client = useQueryClient();
  const [cooling, setCooling] = useState(false);
  const look = () => void client.invalidateQueries({ queryKey: keys.ops('providers') });
  const reset = useMutation({
    mutationFn: () => resetProvider(provider.id),
    onSuccess: () => {
      look();
      say(`${provider.id} is tried again.`, 'good');
    },
    onError: sayProblem,
  });
  const check = useMutation({
    mutationFn: () => checkProvider(provider.id),
    onSuccess: ({ outcome }) => {
      look();
      if (outcome) say(`${provider.id} ${SAYS[outcome]}.`, TONES[outcome]);
      else say(`Nobody has asked ${provider.id} yet. Its card will say what comes of it.`);
    },
    onError: sayProblem,
  });
  return (
    <div className={styles.actions}>
      <Act
        icon={<Stethoscope />}
        busy={check.isPending}
        onClick={() => check.mutate()}
        aria-label={`Check ${provider.id}`}
      >
        Check
      </Act>
      <Act
        look="quiet"
        icon={<Snowflake />}
        onClick={() => setCooling(true)}
        aria-label={`Cool down ${provider.id}`}
      >
        Cool down
      </Act>
      <Act
        look="quiet"
        icon={<RotateCcw />}
        busy={reset.isPending}
        onClick={() => reset.mutate()}
        aria-label={`Reset ${provider.id}`}
      >
        Reset
      </Act>
      {cooling && <CooldownDialog provider={provider} onClose={() => setCooling(false)} onDone={look} />}
    </div>
  );
}
