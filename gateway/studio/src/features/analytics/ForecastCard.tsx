import { useState } from 'react';
import { type Forecast, useForecast } from '@/api/analytics';
import { Badge } from '@/ui/Badge';
import { Card } from '@/ui/Card';
import { ErrorCard } from '@/ui/ErrorCard';
import { Meter } from '@/ui/Meter';
import { Money } from '@/ui/Money';
import { dollars } from '@/ui/money';
import { SegmentedControl } from '@/ui/SegmentedControl';
import { Skeleton } from '@/ui/Skeleton';
import styles from './ForecastCard.module.css';
import { stepLabel } from './range';

const PERIODS = [
  { value: 'week', label: 'Week' },
  { value: 'month', label: 'Month' },
] as const;

/** What the period will have cost at its end, and whether the budget lasts. */
export function ForecastCard({ project }: { project?: string }) {
  const [period, setPeriod] = useState<'week' | 'month'>('month');
  const { data, error, refetch } = useForecast(period, project);
  return (
    <Card
      title="Forecast"
      actions={
        <SegmentedControl label="Until the end of" segments={PERIODS} value={period} onChange={setPeriod} />
      }
    >
      {error && <ErrorCard error={error} onRetry={() => void refetch()} />}
      {data ? <Estimate forecast={data} /> : !error && <Skeleton height={180} />}
    </Card>
  );
}

function Estimate({ forecast }: { forecast: Forecast }) {
  const { spent, linear, trend, budget, period } = forecast;
  return (
    <div className={styles.forecast}>
      <dl className={styles.numbers}>
        <div>
          <dt>Spent this {period}</dt>
          <dd>
            <Money nanos={spent.nanos} />
          </dd>
        </div>
        <div>
          <dt>By {stepLabel(forecast.to, 'day')}, at this pace</dt>
          <dd>
            <Money nanos={linear.cost.nanos} />
          </dd>
        </div>
        <div>
          <dt>By its trend</dt>
          <dd>
            <Money nanos={trend.cost.nanos} />
          </dd>
        </div>
      </dl>
      {budget ? (
        <>
          <Meter
            label="Budget of the period"
            used={spent.nanos}
            limit={budget.limit.nanos}
            text={`${dollars(spent.nanos)} of ${dollars(budget.limit.nanos)}`}
          />
          <p className={styles.verdict}>{verdict(forecast)}</p>
        </>
      ) : (
        <p className={styles.faint}>No budget holds for this {period}.</p>
      )}
    </div>
  );
}

function verdict({ linear, trend, budget, spent }: Forecast) {
  if (!budget) return null;
  const of = `The budget of ${dollars(budget.limit.nanos)}`;
  if (spent.nanos >= budget.limit.nanos) return <Badge tone="bad">{of} is reached</Badge>;
  const on = [linear.exceeded_on, trend.exceeded_on].filter((day) => day !== null).sort()[0];
  if (!on) return <Badge tone="good">{of} lasts</Badge>;
  return (
    <Badge tone="warn">
      {of} may be reached on {stepLabel(on, 'day')}
    </Badge>
  );
}
