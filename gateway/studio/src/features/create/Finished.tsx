import { Suspense, useCallback, useRef, useState } from 'react';
import { fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import { useCompare } from '@/features/compare/comparing';
import { toTrash } from '@/features/library/deeds';
import { toggleFilm } from '@/features/players/film';
import { jukebox } from '@/features/players/jukebox';
import { useShortcuts } from '@/keyboard/registry';
import { live } from '@/live/live';
import { say } from '@/ui/toasts';
import { Facts } from './Facts';
import styles from './Finished.module.css';
import { favor } from './favoring';
import { Full } from './fullScreen';
import { OutputStrip } from './OutputStrip';
import { OutputViewer } from './OutputViewer';
import { ResultActions } from './ResultActions';
import { useRerun } from './rerunning';

interface Props {
  generation: Generation;
  onMade: (made: readonly Generation[]) => void;
}

/** What was made, large; what can be done with it; how it was made. The form stays as it is. */
export function Finished({ generation, onMade }: Props) {
  const [n, setN] = useState(0);
  const [full, setFull] = useState(false);
  const leave = useCallback(() => setFull(false), []);
  // What was moved to the trash is still delivered, but out of sight until it is taken back.
  const outputs = generation.outputs.filter((one) => one.asset_id !== null);
  const output = outputs[n] ?? outputs[0];
  const again = useRerun(generation.id, (made) => {
    live.learn(made);
    say('It is being made again.');
    onMade([made]);
  });
  const download = useRef<HTMLAnchorElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const last = outputs.length - 1;
  const sound = output?.mime.startsWith('audio/') ? fileAddress(output.url) : null;
  const asset = output?.asset_id;
  const compare = useCompare();
  useShortcuts('Preview', [
    { chord: 'f', label: 'Favourite', run: () => output && void favor(generation, output) },
    { chord: 'c', label: 'Compare with another', run: () => asset && compare(asset) },
    { chord: 'Delete', label: 'Delete', run: () => asset && void toTrash([asset]) },
    { chord: 'r', label: 'Make it again, same seed', run: () => again.mutate('same') },
    { chord: 'Shift+R', label: 'Make it again, new seed', run: () => again.mutate('new') },
    { chord: 'Space', label: 'Play', run: () => (sound ? jukebox.toggle(sound) : toggleFilm(stage.current)) },
    { chord: 'd', label: 'Download', run: () => download.current?.click() },
    { chord: 'ArrowLeft', label: 'Previous output', run: () => setN(Math.max(0, n - 1)) },
    { chord: 'ArrowRight', label: 'Next output', run: () => setN(Math.min(last, n + 1)) },
  ]);
  if (!output) return <p>It was made, and its files are in the trash or gone.</p>;
  return (
    <div ref={stage} className={styles.finished}>
      <OutputViewer generation={generation} output={output} onFull={() => setFull(true)} />
      {outputs.length > 1 && (
        <OutputStrip generation={{ ...generation, outputs }} chosen={output.n} onChoose={setN} />
      )}
      <ResultActions
        ref={download}
        generation={generation}
        output={output}
        onAgain={again.mutate}
        busy={again.isPending}
      />
      <Facts generation={generation} output={output} />
      {full && (
        <Suspense>
          <Full
            generation={generation}
            outputs={outputs}
            chosen={outputs.indexOf(output)}
            onChoose={setN}
            onClose={leave}
          />
        </Suspense>
      )}
    </div>
  );
}
