import type { Generation, Output } from '@/api/client';
import { SoundPlayer } from '@/features/players/SoundPlayer';
import { VideoPlayer } from '@/features/players/VideoPlayer';
import { classes } from '@/ui/classes';
import { Picture } from '@/ui/Picture';
import styles from './Finished.module.css';
import { prepareFull } from './fullScreen';
import { titleFor } from './prompts';

interface Props {
  generation: Generation;
  output: Output;
  onFull: () => void;
}

/** One output in what shows or plays it. */
export function OutputViewer({ generation, output, onFull }: Props) {
  const title = titleFor(generation);
  if (output.mime.startsWith('image/')) {
    return (
      <button
        type="button"
        className={classes(styles.stage, styles.open)}
        aria-label={`Full screen: ${title}`}
        onPointerEnter={() => prepareFull(output)}
        onFocus={() => prepareFull(output)}
        onClick={onFull}
      >
        <Picture src={output.url} alt={title} width={output.width} height={output.height} />
      </button>
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
