import { ArrowLeftRight, Pause, Play } from 'lucide-react';
import { fileAddress } from '@/api/address';
import { clock } from '@/features/players/clock';
import { Scrubber } from '@/features/players/Scrubber';
import { useShortcuts } from '@/keyboard/registry';
import { Button, IconButton } from '@/ui/Button';
import { classes } from '@/ui/classes';
import styles from './Compare.module.css';
import type { Pair } from './contender';
import { useTwoSounds } from './useTwoSounds';

/** Two sounds that run together, of which one is heard: a key changes over without losing the place. */
export function CompareSounds({ pair }: { pair: Pair }) {
  const [a, b] = pair;
  const both = useTwoSounds(fileAddress(a.asset.file_url), fileAddress(b.asset.file_url));
  useShortcuts('Compare', [
    { chord: 'Space', label: 'Play', run: both.toggle },
    { chord: 'x', label: 'Hear the other one', run: both.swap },
    { chord: 'a', label: 'Hear A', run: () => both.hear(0) },
    { chord: 'b', label: 'Hear B', run: () => both.hear(1) },
  ]);
  return (
    <section aria-label="Sounds" className={styles.sounds}>
      <div className={styles.controls}>
        <IconButton
          name={both.playing ? 'Pause' : 'Play'}
          look="primary"
          icon={both.playing ? <Pause /> : <Play />}
          onClick={both.toggle}
        />
        <Button icon={<ArrowLeftRight />} onClick={both.swap}>
          Hear {both.heard === 0 ? 'B' : 'A'} <kbd>X</kbd>
        </Button>
        <span className={styles.time}>{clock(both.timeS)}</span>
        <span role="status" className="unseen">
          You hear {both.heard === 0 ? 'A' : 'B'}
        </span>
      </div>
      {pair.map(({ asset }, n) => (
        <div
          key={n === 0 ? 'a' : 'b'}
          className={classes(styles.sound, both.heard === n && styles.heard)}
          data-heard={both.heard === n}
        >
          <Button aria-pressed={both.heard === n} onClick={() => both.hear(n as 0 | 1)}>
            {n === 0 ? 'A' : 'B'}
          </Button>
          <div className={styles.wave}>
            <Scrubber
              label={`Position in ${n === 0 ? 'A' : 'B'}`}
              peaksUrl={asset.peaks_url}
              timeS={Math.min(both.timeS, asset.duration_seconds ?? both.timeS)}
              durationS={asset.duration_seconds ?? 0}
              bars={240}
              onSeek={both.seek}
            />
          </div>
        </div>
      ))}
    </section>
  );
}
