import { Link } from '@tanstack/react-router';
import { Archive, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import type { Failure } from '@/api/ops';
import { Badge } from '@/ui/Badge';
import { Card } from '@/ui/Card';
import { Time } from '@/ui/Time';
import { Act } from './Act';
import styles from './FailureCard.module.css';
import { FailureDialog } from './FailureDialog';
import { labelOf } from './throughput';
import { counted } from './words';

/** One cause: how often, where, since when, and what to do about all of it at once. */
export function FailureCard({ failure }: { failure: Failure }) {
  const [asking, setAsking] = useState<'retry' | 'discard' | null>(null);
  const { fingerprint, code } = failure;
  return (
    <Card className={styles.card}>
      <div className={styles.head}>
        <span className={styles.count}>{failure.count.toLocaleString('en')}</span>
        <div className={styles.what}>
          <h2 className={styles.message}>{failure.message}</h2>
          <p className={styles.facts}>
            <Badge tone="bad">{code}</Badge>
            {!failure.retryable && <Badge tone="warn">trying again rarely helps</Badge>}
            <span>
              {failure.count > 1 && (
                <>
                  first <Time at={failure.first_at} />, last{' '}
                </>
              )}
              <Time at={failure.last_at} />
            </span>
            <span>{counted(failure.accounts, 'account')}</span>
          </p>
          <p className={styles.facts}>
            <span>{failure.kinds.map(labelOf).join(', ')}</span>
            <span>{failure.providers.join(', ') || 'no provider'}</span>
            <span className={styles.models}>{failure.models.join(', ')}</span>
          </p>
          <p className={styles.facts}>
            <Link to="/ops/jobs" search={{ fingerprint } as never}>
              All jobs
            </Link>
            <Link to="/ops/jobs/$id" params={{ id: failure.sample_id }}>
              Latest job
            </Link>
            <code className={styles.print} title="Fingerprint">
              {fingerprint}
            </code>
          </p>
        </div>
      </div>
      <div className={styles.actions}>
        <Act icon={<RotateCcw />} onClick={() => setAsking('retry')} aria-label={`Retry all ${code}`}>
          Retry all
        </Act>
        <Act
          look="quiet"
          icon={<Archive />}
          onClick={() => setAsking('discard')}
          aria-label={`Discard ${code}`}
        >
          Discard
        </Act>
      </div>
      {asking && <FailureDialog action={asking} failure={failure} onClose={() => setAsking(null)} />}
    </Card>
  );
}
