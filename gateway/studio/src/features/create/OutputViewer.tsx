import { fileAddress } from '@/api/address';
import type { Generation, Output } from '@/api/client';
import { SoundPlayer } from '@/features/players/SoundPlayer';
import { VideoPlayer } from '@/features/players/VideoPlayer';
import { Picture } from '@/ui/Picture';
import styles from './Finished.module.css';
import { titleFor } from './prompts';

/** One output in what shows or plays it. */
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
        <VideoPlayer
          url={output.url}
          title={title}
          posterUrl={output.poster_url}
          width={output.width}
          height={output.height}
        />
      </div>
    );
  }
  if (output.mime.startsWith('audio/')) {
    return (
      <div className={styles.sound}>
        <SoundPlayer
          large
          url={output.url}
          title={title}
          peaksUrl={output.peaks_url}
          durationS={output.duration_s}
        />
      </div>
    );
  }
  if (output.text !== null) return <div className={styles.words}>{output.text}</div>;
  return <p className={styles.words}>This is {output.mime}, and too long to show here: download it.</p>;
}
