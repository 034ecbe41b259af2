import type { OpsJobDetail } from '@/api/ops';
import { Badge } from '@/ui/Badge';
import { Card } from '@/ui/Card';
import { Money } from '@/ui/Money';
import type { Column } from '@/ui/Table';
import { Time } from '@/ui/Time';
import { Rows } from './Rows';
import styles from './Submissions.module.css';
import { plain, span } from './words';

type Submission = OpsJobDetail['submissions'][number];

/** Every paid call, with the id by which its provider knows it. */
export function Submissions({ submissions }: { submissions: readonly Submission[] }) {
  return (
    <Card title="Attempts at providers">
      {submissions.length === 0 ? (
        <p className={styles.none}>No provider was asked yet.</p>
      ) : (
        <Rows caption="Attempts at providers" columns={COLUMNS} rows={submissions} keyOf={(one) => one.id} />
      )}
    </Card>
  );
}

const COLUMNS: readonly Column<Submission>[] = [
  {
    title: 'Attempt',
    cell: (one) => (
      <>
        {one.n}. {one.provider} · {one.model}
      </>
    ),
  },
  { title: 'State', cell: (one) => <Badge>{plain(one.state)}</Badge> },
  { title: 'Id at the provider', cell: (one) => <code className={styles.id}>{one.remote_id ?? '–'}</code> },
  { title: 'Sent', cell: (one) => <Time at={one.intent_at} /> },
  { title: 'Took', numeric: true, cell: took },
  {
    title: 'Cost',
    numeric: true,
    cell: (one) => (one.cost ? <Money nanos={one.cost.nanos} /> : '–'),
  },
  { title: 'Billed to', cell: (one) => (one.billed_to === 'byok' ? 'their own key' : 'the platform') },
  { title: 'Error', cell: (one) => <span className={styles.id}>{textOf(one.error)}</span> },
];

function took(one: Submission): string {
  if (!one.ended_at) return '–';
  return span((Date.parse(one.ended_at) - Date.parse(one.intent_at)) / 1000);
}

function textOf(error: Submission['error']): string {
  if (!error) return '–';
  return typeof error.message === 'string' ? error.message : JSON.stringify(error);
}
