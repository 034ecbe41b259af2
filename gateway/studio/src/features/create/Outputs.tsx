import { fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import { Badge } from '@/ui/Badge';
import { Money } from '@/ui/Money';
import { Picture } from '@/ui/Picture';
import { Time } from '@/ui/Time';
import styles from './Outputs.module.css';

/** What was made, each in the element that shows or plays it. */
export function Outputs({ generation }: { generation: Generation }) {
  const prompt = String(generation.input.prompt ?? generation.input.text ?? generation.kind);
  return (
    <figure className={styles.outputs}>
      {generation.outputs.map((output) => {
        if (output.mime.startsWith('image/')) {
          return (
            <Picture
              key={output.n}
              src={output.url}
              alt={prompt}
              width={output.width}
              height={output.height}
            />
          );
        }
        if (output.text) return <p key={output.n}>{output.text}</p>;
        return (
          <a key={output.n} href={`${fileAddress(output.url)}/download`} download>
            Download ({output.mime})
          </a>
        );
      })}
      <figcaption className={styles.caption}>
        <Badge>{generation.resolved?.model ?? generation.model}</Badge>
        <Money nanos={generation.cost.actual?.nanos ?? generation.cost.estimated?.nanos} />
        <Time at={generation.created_at} />
      </figcaption>
    </figure>
  );
}
