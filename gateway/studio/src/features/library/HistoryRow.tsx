import { Link } from '@tanstack/react-router';
import { Star } from 'lucide-react';
import { type CSSProperties, memo } from 'react';
import { fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import { Badge, type Tone } from '@/ui/Badge';
import { classes } from '@/ui/classes';
import { Money } from '@/ui/Money';
import { Time } from '@/ui/Time';
import styles from './HistoryRow.module.css';
import { iconOf, nanosOf, nounOf, promptOf } from './words';

interface Props {
  generation: Generation;
  selected: boolean;
  style: CSSProperties;
  onSelect: (id: string, range: boolean) => void;
}

const STATUS: Partial<Record<Generation['status'], [string, Tone]>> = {
  queued: ['Queued', 'plain'],
  running: ['Running', 'accent'],
  failed: ['Failed', 'bad'],
  canceled: ['Canceled', 'warn'],
  expired: ['Expired', 'warn'],
};

/** One line of the history: what was asked for, who made it, what it cost, or why there is nothing. */
export const HistoryRow = memo(function HistoryRow({ generation, selected, style, onSelect }: Props) {
  const { id, kind, outputs, status, error, resolved } = generation;
  const prompt = promptOf(generation);
  const badge = STATUS[status];
  return (
    <article data-generation={id} className={classes(styles.row, selected && styles.selected)} style={style}>
      <label className={styles.check}>
        <input
          type="checkbox"
          aria-label={`Select ${prompt.slice(0, 80)}`}
          checked={selected}
          onChange={(event) => onSelect(id, (event.nativeEvent as MouseEvent).shiftKey)}
        />
      </label>
      <Thumbnail generation={generation} />
      <div className={styles.text}>
        <Link to="/studio/generations/$id" params={{ id }} className={styles.prompt} title={prompt}>
          {prompt}
        </Link>
        <p className={styles.facts}>
          {error ? (
            <span className={styles.reason}>{error.message}</span>
          ) : (
            <>
              {nounOf(kind)} · {resolved?.model ?? generation.model}
              {outputs.length > 1 && ` · ${outputs.length} outputs`}
            </>
          )}
        </p>
      </div>
      {outputs.some((output) => output.favorite) && (
        <Star className={styles.star} aria-label="Favourite" role="img" />
      )}
      {badge && (
        <span className={styles.badge}>
          <Badge tone={badge[1]}>{badge[0]}</Badge>
        </span>
      )}
      <span className={styles.cost}>
        <Money nanos={nanosOf(generation.cost)} />
      </span>
      <span className={styles.when}>
        <Time at={generation.created_at} />
      </span>
    </article>
  );
});

function Thumbnail({ generation }: { generation: Generation }) {
  const output = generation.outputs[0];
  const picture = output?.thumbnail_url ?? output?.poster_url;
  const Icon = iconOf(generation.kind);
  return (
    <span className={styles.thumbnail} aria-hidden="true">
      {picture ? <img src={fileAddress(picture)} alt="" loading="lazy" decoding="async" /> : Icon && <Icon />}
    </span>
  );
}
