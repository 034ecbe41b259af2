import { useQuery } from '@tanstack/react-query';
import { ArrowLeftRight, Pause, Play } from 'lucide-react';
import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { clock } from '@/features/players/clock';
import { peaksQuery } from '@/features/players/peaks';
import { Scrubber } from '@/features/players/Scrubber';
import { useShortcuts } from '@/keyboard/registry';
import { Button, IconButton } from '@/ui/Button';
import { classes } from '@/ui/classes';
import styles from './Compare.module.css';
import type { Pair } from './contender';
import { type TwoSounds, useTwoSounds } from './useTwoSounds';

/** Two sounds that run together, of which one is heard: a key changes over without losing the place. */
export function CompareSounds({ pair }: { pair: Pair }) {
  const [a, b] = pair;
  const both = useTwoSounds(fileAddress(a.asset.file_url), fileAddress(b.asset.file_url));
  const longestS = Math.max(a.asset.duration_seconds ?? 0, b.asset.duration_seconds ?? 0);
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
      <One letter="A" asset={a.asset} longestS={longestS} which={0} both={both} />
      <One letter="B" asset={b.asset} longestS={longestS} which={1} both={both} />
    </section>
  );
}

interface OneProps {
  letter: string;
  asset: Asset;
  longestS: number;
  which: 0 | 1;
  both: TwoSounds;
}

/** One of them, as wide as it is long beside the other: both play-heads stand above each other. */
function One({ letter, asset, longestS, which, both }: OneProps) {
  const { data } = useQuery(peaksQuery(asset.peaks_url));
  const lasts = asset.duration_seconds ?? 0;
  const heard = both.heard === which;
  return (
    <div className={classes(styles.sound, heard && styles.heard)} data-heard={heard}>
      <Button aria-pressed={heard} onClick={() => both.hear(which)}>
        {letter}
      </Button>
      <div className={styles.wave} style={{ width: longestS ? `${(lasts / longestS) * 100}%` : undefined }}>
        <Scrubber
          label={`Position in ${letter}`}
          peaks={data}
          timeS={Math.min(both.timeS, lasts)}
          durationS={lasts}
          now={both.playing ? both.now : null}
          onSeek={both.seek}
        />
      </div>
    </div>
  );
}
