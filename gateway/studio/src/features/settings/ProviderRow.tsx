import { ArrowDown, ArrowUp, GripVertical } from 'lucide-react';
import { useState } from 'react';
import type { ProviderHealth, ProviderSetting } from '@/api/providers';
import { AmountInput } from '@/ui/AmountInput';
import { nanosOf, writtenAmount } from '@/ui/amount';
import { Badge, type Tone } from '@/ui/Badge';
import { IconButton } from '@/ui/Button';
import { Field } from '@/ui/Field';
import { Switch } from '@/ui/Switch';
import { stateWord } from '@/ui/states';
import forms from './forms.module.css';
import styles from './ProviderRow.module.css';

interface Props {
  setting: ProviderSetting;
  at: number;
  count: number;
  health: ProviderHealth | undefined;
  onMove: (to: number) => void;
  onChange: (change: Partial<ProviderSetting>) => void;
  onDrag: (is: boolean) => void;
}

const TONES: Record<string, Tone> = { healthy: 'good', degraded: 'warn', down: 'bad' };
const WORST = ['down', 'degraded', 'healthy', 'unknown'];

export function ProviderRow({ setting, at, count, health, onMove, onChange, onDrag }: Props) {
  const { provider } = setting;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dragging is for pointers; the buttons do the same by keyboard
    <div className={styles.row} draggable onDragStart={() => onDrag(true)} onDragEnd={() => onDrag(false)}>
      <span className={styles.grip} aria-hidden="true">
        <GripVertical />
      </span>
      <div className={styles.moves}>
        <IconButton
          size="sm"
          name={`Move ${provider} up`}
          icon={<ArrowUp />}
          disabled={at === 0}
          onClick={() => onMove(at - 1)}
        />
        <IconButton
          size="sm"
          name={`Move ${provider} down`}
          icon={<ArrowDown />}
          disabled={at === count - 1}
          onClick={() => onMove(at + 1)}
        />
      </div>
      <div className={styles.about}>
        <span className={forms.head}>
          <strong>{provider}</strong>
          <Health health={health} />
          {setting.own_key && <Badge tone="accent">Own key</Badge>}
        </span>
        <span className={forms.faint}>
          {setting.kinds.join(', ')}
          {!setting.available && setting.reason && ` · ${setting.reason}`}
        </span>
      </div>
      <Cap
        key={setting.monthly_cap_cents}
        provider={provider}
        cents={setting.monthly_cap_cents}
        onChange={(monthly_cap_cents) => onChange({ monthly_cap_cents })}
      />
      <div className={styles.use}>
        <Switch
          label={`Use ${provider}`}
          checked={setting.enabled}
          onChange={(enabled) => onChange({ enabled })}
        />
      </div>
    </div>
  );
}

function Health({ health }: { health: ProviderHealth | undefined }) {
  if (!health) return null;
  const found = health.credentials.map((one) => one.status);
  const status = WORST.find((one) => found.includes(one as (typeof found)[number])) ?? 'unknown';
  const reason = health.credentials.find((one) => one.reason)?.reason ?? undefined;
  if (status === 'unknown') return null;
  return (
    <span title={reason}>
      <Badge tone={TONES[status]}>{stateWord(status)}</Badge>
    </span>
  );
}

const NANOS_PER_CENT = 10_000_000;

/** What it may cost in a month; set when the field is left. */
function Cap({
  provider,
  cents,
  onChange,
}: {
  provider: string;
  cents: number | null;
  onChange: (cents: number | null) => void;
}) {
  const kept = cents === null ? '' : writtenAmount(cents * NANOS_PER_CENT);
  const [written, setWritten] = useState(kept);
  const nanos = written.trim() === '' ? null : nanosOf(written);
  const wrong = written.trim() !== '' && nanos === null;
  const settle = () => {
    const next = nanos === null ? null : Math.round(nanos / NANOS_PER_CENT);
    if (!wrong && next !== cents) onChange(next);
  };
  return (
    <div className={styles.cap}>
      <Field label={`Monthly cap of ${provider}`} hideLabel error={wrong ? 'No amount.' : null}>
        {(wires) => (
          <AmountInput
            {...wires}
            placeholder="monthly cap"
            value={written}
            onChange={(event) => setWritten(event.target.value)}
            onBlur={settle}
            onKeyDown={(event) => event.key === 'Enter' && settle()}
          />
        )}
      </Field>
    </div>
  );
}
