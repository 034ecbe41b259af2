import type { ReactNode } from 'react';
import type { Generation, Output } from '@/api/client';
import { Money } from '@/ui/Money';
import { Duration, Time } from '@/ui/Time';
import styles from './Finished.module.css';
import { promptOf } from './prompts';

/** How it was made, and what it cost in the end. */
export function Facts({ generation, output }: { generation: Generation; output: Output }) {
  const { cost, resolved, input } = generation;
  const seed = output.metadata.seed ?? (input as Record<string, unknown>).seed;
  const took =
    generation.completed_at && generation.started_at
      ? (Date.parse(generation.completed_at) - Date.parse(generation.started_at)) / 1000
      : null;
  const facts: [string, ReactNode][] = [
    ['Model', resolved ? `${resolved.model} · ${resolved.provider}` : generation.model],
    ['Cost', <Cost key="cost" cost={cost} />],
    ['Made', <Time key="made" at={generation.completed_at ?? generation.created_at} />],
  ];
  if (output.width && output.height) facts.push(['Size', `${output.width} × ${output.height}`]);
  if (output.duration_s) facts.push(['Length', <Duration key="length" seconds={output.duration_s} />]);
  if (took !== null) facts.push(['Took', <Duration key="took" seconds={took} />]);
  if (seed !== undefined && seed !== null) facts.push(['Seed', String(seed)]);
  const prompt = promptOf(generation);
  return (
    <dl className={styles.facts}>
      {prompt && (
        <div className={styles.wide}>
          <dt>Prompt</dt>
          <dd className={styles.prompt} title={prompt}>
            {prompt}
          </dd>
        </div>
      )}
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Cost({ cost }: { cost: Generation['cost'] }) {
  const amount = cost.actual ?? cost.estimated;
  if (amount?.nanos === 0) return <span title={cost.explanation}>Free</span>;
  return (
    <span title={cost.explanation}>
      {!cost.actual && amount && 'about '}
      <Money nanos={amount?.nanos} />
    </span>
  );
}
