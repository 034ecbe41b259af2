import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import { generationQuery, hasEnded } from '@/api/generations';
import { View } from '@/app/View';
import { useCompare } from '@/features/compare/comparing';
import { useReuse } from '@/features/create/reusing';
import { toggleFilm } from '@/features/players/film';
import { jukebox } from '@/features/players/jukebox';
import { FailureCard } from '@/features/watch/FailureCard';
import { JobCard } from '@/features/watch/JobCard';
import { useFreshEtas } from '@/features/watch/useFreshEtas';
import { useShortcuts } from '@/keyboard/registry';
import { jobOf } from '@/live/jobs';
import { useJob } from '@/live/live';
import { Badge, type Tone } from '@/ui/Badge';
import { copy } from '@/ui/clipboard';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { stateWord } from '@/ui/states';
import { ActionBar } from './ActionBar';
import { AssetDetails } from './AssetDetails';
import { AssetShow } from './AssetShow';
import details from './Details.module.css';
import { again, change, removeAll, toTrash } from './deeds';
import styles from './GenerationView.module.css';
import { Origin } from './Origin';
import { Prompt } from './Prompt';
import { useOutputs } from './useOutputs';
import { Viewer } from './Viewer';
import { nounOf, promptOf } from './words';

const SOUNDS = new Set(['audio', 'music']);
const TONES: Readonly<Record<string, Tone>> = {
  running: 'accent',
  completed: 'good',
  failed: 'bad',
  expired: 'warn',
};

/** One generation by its address: what it made, and all that is known of it. */
export function GenerationView() {
  const { id } = useParams({ from: '/_studio/studio/generations/$id' });
  const navigate = useNavigate();
  const reuse = useReuse();
  const compare = useCompare();
  const [chosen, setChosen] = useState<string | null>(null);
  const [full, setFull] = useState(false);
  const query = useQuery(generationQuery(id));
  const job = useJob(id);
  const generation = query.data;
  useFreshEtas(generation?.status === 'queued');
  const ids = (generation?.outputs ?? []).flatMap((output) => output.asset_id ?? []);
  const outputs = useOutputs(ids, chosen);
  const { assets, shown, awaited } = outputs;
  const favorite = () => shown && void change(shown, { favorite: !shown.favorite });
  const place = useRef<HTMLElement>(null);
  const play = () =>
    shown?.type === 'audio' ? jukebox.toggle(fileAddress(shown.file_url)) : toggleFilm(place.current);
  const remove = () => {
    void (shown ? toTrash([shown.id]) : removeAll([id]));
    void navigate({ to: '/studio/gallery' });
  };
  useShortcuts('Generation', [
    { chord: 'f', label: 'Favourite', run: favorite },
    { chord: 'c', label: 'Compare with another', run: () => shown && compare(shown.id) },
    { chord: 'r', label: 'Run again, same seed', run: () => void again(id, 'same') },
    { chord: 'Shift+R', label: 'Run again, new seed', run: () => void again(id, 'new') },
    { chord: 'Space', label: 'Play', run: play },
    { chord: 'Delete', label: 'Delete', run: remove },
  ]);

  if (query.error && !generation)
    return (
      <View title="Generation">
        <ErrorCard error={query.error} onRetry={() => void query.refetch()} />
      </View>
    );
  if (!generation)
    return (
      <View title="Generation">
        <Loading />
        <Skeleton height={420} />
      </View>
    );
  return (
    <View
      title={nounOf(generation.kind)}
      actions={<Badge tone={TONES[generation.status]}>{stateWord(generation.status)}</Badge>}
    >
      <div className={styles.columns}>
        <section ref={place} aria-label="Outputs" className={styles.outputs}>
          {!hasEnded(generation) && <JobCard job={job ?? jobOf(generation, Date.now())} />}
          {hasEnded(generation) && (
            <FailureCard
              generation={generation}
              quiet
              onRetried={(made) => void navigate({ to: '/studio/generations/$id', params: { id: made.id } })}
              onEdit={() => reuse(generation, 'edit')}
            />
          )}
          {awaited && <Awaited generation={generation} />}
          {shown && <AssetShow asset={shown} onFull={() => setFull(true)} />}
          {generation.status === 'completed' && ids.length === 0 && (
            <p className={details.soft}>What it made is in the trash.</p>
          )}
          {outputs.error && (
            <ErrorCard error={outputs.error} onRetry={outputs.retry}>
              {ids.length > 1 && (
                <p>
                  {outputs.missing} of {ids.length} outputs cannot be shown.
                </p>
              )}
            </ErrorCard>
          )}
          {assets.length > 1 && (
            <div className={styles.choices}>
              {assets.map((one) => (
                <button
                  key={one.id}
                  type="button"
                  aria-label={`Output ${ids.indexOf(one.id) + 1}`}
                  aria-pressed={one === shown}
                  className={styles.choice}
                  onClick={() => setChosen(one.id)}
                >
                  <AssetShow asset={one} />
                </button>
              ))}
            </div>
          )}
        </section>
        <section aria-label="Details" className={styles.details}>
          <h2 className="unseen">Details</h2>
          {awaited ? (
            <Skeleton height={560} />
          ) : shown ? (
            <AssetDetails asset={shown} />
          ) : (
            <div className={details.details}>
              <ActionBar
                generation={generation}
                picture={null}
                file={null}
                downloadUrl={null}
                onCopyLink={() => void copy(location.href, 'The link is copied.')}
                onDelete={remove}
              />
              <Prompt text={promptOf(generation)} />
              <Origin generation={generation} />
            </div>
          )}
        </section>
      </div>
      {full && shown && (
        <Viewer
          assets={assets}
          asset={shown}
          onMove={setChosen}
          onFavorite={favorite}
          onDelete={remove}
          onClose={() => setFull(false)}
        />
      )}
    </View>
  );
}

/** The place that it will take. */
function Awaited({ generation: { kind, outputs } }: { generation: Generation }) {
  const { width, height } = outputs[0] ?? {};
  if (!width || !height) return <Skeleton height={SOUNDS.has(kind) ? 144 : 420} />;
  return (
    <div className={styles.awaited} style={{ aspectRatio: `${width} / ${height}` }}>
      <Skeleton height="100%" />
    </div>
  );
}
