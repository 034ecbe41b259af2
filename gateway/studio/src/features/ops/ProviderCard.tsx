import type { OpsProvider } from '@/api/ops';
import { Badge } from '@/ui/Badge';
import { Card } from '@/ui/Card';
import { Money } from '@/ui/Money';
import { Time } from '@/ui/Time';
import { Countdown } from './Countdown';
import { type Fact, Facts } from './Facts';
import notice from './PauseNotice.module.css';
import { ProviderActions } from './ProviderActions';
import styles from './QueueCard.module.css';
import { labelOf } from './throughput';
import { counted, plain, span, toneOf } from './words';

/** One provider by the platform's credentials: health, what it costs, and letting it rest. */
export function ProviderCard({ provider }: { provider: OpsProvider }) {
  const isKnown = provider.available || provider.spend.month.nanos > 0 || provider.open_submissions > 0;
  return (
    <Card
      title={provider.id}
      actions={
        provider.available ? (
          <Badge tone={toneOf(stateOf(provider))}>{plain(stateOf(provider))}</Badge>
        ) : (
          <Badge>Not set up</Badge>
        )
      }
      className={styles.card}
    >
      <p className={styles.soft}>
        {counted(provider.models, 'model')}: {provider.kinds.map(labelOf).join(', ')}
      </p>
      {!provider.available && <SettingUp reason={provider.reason} />}
      {isKnown && <Facts facts={factsOf(provider)} />}
      {provider.credentials.map((credential) => (
        <Credential key={credential.credential} credential={credential} />
      ))}
      <Check check={provider.check} />
      {provider.available && <ProviderActions provider={provider} />}
    </Card>
  );
}

/** What is missing, and where it is given: nothing can be asked of it, or let rest, before that. */
function SettingUp({ reason }: { reason: string | null }) {
  return (
    <p className={styles.soft}>
      {reason ? `${reason}.` : 'Its key is not set.'} Set it in the environment of the gateway and the
      workers, and start them again.
    </p>
  );
}

/** A rest is what counts while it lasts; of one that nobody has asked yet, nothing is known. */
function stateOf(provider: OpsProvider): string {
  if (provider.credentials.some((one) => one.cooldown_until !== null)) return 'resting';
  return provider.status === 'unknown' ? 'not asked yet' : provider.status;
}

function factsOf(provider: OpsProvider): Fact[] {
  return [
    ['Spent today', <Money key="today" nanos={provider.spend.today.nanos} />],
    ['This month', <Money key="month" nanos={provider.spend.month.nanos} />],
    ['Open calls', provider.open_submissions],
  ];
}

type CredentialState = OpsProvider['credentials'][number];

function Credential({ credential }: { credential: CredentialState }) {
  const { limits, cooldown_until, reason } = credential;
  return (
    <>
      <Facts
        facts={[
          ['Fails', `${Math.round(credential.error_rate * 100)} %`],
          [
            'Answers in',
            credential.response_ms === null ? '–' : span(Math.round(credential.response_ms / 100) / 10),
          ],
          ['Limits', limitsOf(limits)],
          [
            'Last success',
            credential.last_success_at ? <Time key="success" at={credential.last_success_at} /> : '–',
          ],
          [
            'Last failure',
            credential.last_failure_at ? <Time key="failure" at={credential.last_failure_at} /> : '–',
          ],
        ]}
      />
      {(cooldown_until || reason) && (
        <p className={notice.notice}>
          {cooldown_until && (
            <>
              Rests, <Countdown until={cooldown_until} />
            </>
          )}
          {credential.probing && ' One call looks whether it is back.'}
          {reason && <span className={notice.reason}>{reason}</span>}
        </p>
      )}
    </>
  );
}

function limitsOf({ rpm, concurrent }: CredentialState['limits']): string {
  const parts = [rpm !== null && `${rpm}/min`, concurrent !== null && `${concurrent} at once`];
  return parts.filter(Boolean).join(', ') || 'none';
}

const SAYS = {
  valid: 'it answers and takes the key',
  refused: 'it refuses the key',
  unreachable: 'nothing clear came back',
  unset: 'no key is set here',
};

function Check({ check }: { check: OpsProvider['check'] }) {
  if (!check) return null;
  return (
    <p className={styles.soft} role="status">
      Asked <Time at={check.asked_at} />:{' '}
      {check.outcome ? SAYS[check.outcome] : 'a maintenance worker has not answered yet'}
      {check.took_ms !== null && ` (${Math.round(check.took_ms)} ms)`}
    </p>
  );
}
