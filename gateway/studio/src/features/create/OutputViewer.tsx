import { fileAddress } from '@/api/address';
import type { Generation, Output } from '@/api/client';
import { Picture } from '@/ui/Picture';
import styles from './Finished.module.css';
import { titleFor } from './prompts';

/** One output in the element that shows or plays it. */
export function OutputViewer({ generation, output }: { generation: Generation; output: Output }) {
  const title = titleFor(generation);
  if (output.mime.startsWith('image/')) {
    return (
      <a
        className={styles.stage}
        href={fileAddress(output.url)}
        target="_blank"
        rel="noreferrer"
        aria-label={`${title}: open the picture in a new tab`}
      >
        <Picture src={output.url} alt={title} width={output.width} height={output.height} />
      </a>
    );
  }
  if (output.mime.startsWith('video/')) {
    return (
      <div className={styles.stage}>
        {/* biome-ignore lint/a11y/useMediaCaption: what is made has no captions */}
        <video
          controls
          loop
          playsInline
          preload="metadata"
          aria-label={title}
          width={output.width ?? undefined}
          height={output.height ?? undefined}
          poster={output.poster_url ? fileAddress(output.poster_url) : undefined}
          src={fileAddress(output.url)}
        />
      </div>
    );
  }
  if (output.mime.startsWith('audio/')) {
    return (
      <div className={styles.sound}>
        {/* biome-ignore lint/a11y/useMediaCaption: its words are the prompt beside it */}
        <audio controls preload="metadata" aria-label={title} src={fileAddress(output.url)} />
      </div>
    );
  }
  if (output.text !== null) return <div className={styles.words}>{output.text}</div>;
  return <p className={styles.words}>This is {output.mime}, and too long to show here: download it.</p>;
}
