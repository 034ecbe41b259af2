import { useQuery } from '@tanstack/react-query';
import { Download, Pause, Play, Repeat, Volume2, VolumeX } from 'lucide-react';
import { type KeyboardEvent, useEffect } from 'react';
import { fileAddress } from '@/api/address';
import { IconButton } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { Select } from '@/ui/Select';
import { clock } from './clock';
import { jukebox, useSound } from './jukebox';
import { type Peaks, peaksQuery } from './peaks';
import { Scrubber } from './Scrubber';
import styles from './SoundPlayer.module.css';

interface Props {
  /** The sound's address as the API names it. */
  url: string;
  /** What it is: the first words of its text or prompt. */
  title: string;
  peaksUrl?: string | null;
  /** Its waveform where no gateway has measured it: of what was recorded here. */
  peaks?: Peaks;
  /** Known before it is loaded. */
  durationS?: number | null;
  downloadUrl?: string;
  /** Repeats can be switched on; music wants it. */
  large?: boolean;
}

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2].map((speed) => ({ value: String(speed), label: `${speed}×` }));

/** Plays a sound: its waveform to scrub in, speed, repeat, volume. Space plays while the focus is inside. */
export function SoundPlayer({ url, title, peaksUrl, peaks, durationS, downloadUrl, large }: Props) {
  const src = fileAddress(url);
  const sound = useSound(src);
  const measured = useQuery(peaksQuery(peaksUrl));
  const lasts = sound.durationS || durationS || 0;
  useEffect(() => () => jukebox.pause(src), [src]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== ' ' || (event.target as Element).matches('button, select, a')) return;
    event.preventDefault();
    jukebox.toggle(src);
  };
  return (
    <section
      aria-label={title}
      className={classes(styles.player, large && styles.large)}
      onKeyDown={onKeyDown}
    >
      <div className={styles.wave}>
        <Scrubber
          label="Position"
          peaks={peaks ?? measured.data}
          timeS={sound.timeS}
          durationS={lasts}
          now={sound.playing ? jukebox.now : null}
          onSeek={(timeS) => jukebox.seek(src, timeS)}
        />
      </div>
      <div className={styles.controls}>
        <IconButton
          name={sound.playing ? 'Pause' : 'Play'}
          look="primary"
          className={styles.play}
          icon={sound.playing ? <Pause /> : <Play />}
          onClick={() => jukebox.toggle(src)}
        />
        <span className={styles.time}>
          {clock(sound.timeS)} / {clock(lasts)}
        </span>
        <span className={styles.rest}>
          <Select
            aria-label="Speed"
            className={styles.speed}
            value={String(sound.speed)}
            options={SPEEDS}
            onChange={(value) => jukebox.setSpeed(Number(value))}
          />
          <IconButton
            name="Repeat"
            icon={<Repeat />}
            pressed={sound.loop}
            onClick={() => jukebox.setLoop(!sound.loop)}
          />
          <Volume volume={sound.volume} />
          {downloadUrl && (
            <a
              href={fileAddress(downloadUrl)}
              download
              aria-label="Download"
              title="Download"
              className={classes(buttons.button, buttons.icon, buttons.quiet, buttons.md)}
            >
              <Download aria-hidden="true" />
            </a>
          )}
        </span>
      </div>
      {sound.failed && <p role="alert">This sound could not be loaded.</p>}
    </section>
  );
}

function Volume({ volume }: { volume: number }) {
  return (
    <span className={styles.volume}>
      <IconButton
        name={volume ? 'Mute' : 'Unmute'}
        icon={volume ? <Volume2 /> : <VolumeX />}
        onClick={() => jukebox.setVolume(volume ? 0 : 1)}
      />
      <input
        type="range"
        aria-label="Volume"
        min={0}
        max={1}
        step={0.05}
        value={volume}
        aria-valuetext={`${Math.round(volume * 100)} %`}
        onChange={(event) => jukebox.setVolume(event.target.valueAsNumber)}
      />
    </span>
  );
}
