import { Link } from '@tanstack/react-router';
import { AudioLines, Clapperboard, FileText, Images } from 'lucide-react';
import { fileAddress } from '@/api/address';
import { keys } from '@/api/keys';
import { PAGE_SIZE, usePages } from '@/api/pages';
import { fetchProjectAssets, type Project, type ProjectAsset } from '@/api/projects';
import { Button } from '@/ui/Button';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { Time } from '@/ui/Time';
import styles from './ProjectAssets.module.css';

const SYMBOLS = { audio: AudioLines, video: Clapperboard, text: FileText, image: Images };

/** Everything in the project, newest first. */
export function ProjectAssets({ project }: { project: Project }) {
  const assets = usePages(keys.assets({ project: project.id }), (after) =>
    fetchProjectAssets(project.id, PAGE_SIZE, after),
  );
  if (assets.error) return <ErrorCard error={assets.error} onRetry={() => void assets.refetch()} />;
  if (assets.isPending) return <Shapes />;
  if (assets.items.length === 0) {
    return (
      <EmptyState
        icon={<Images />}
        title="Nothing is in this project yet"
        action={
          <Link to="/studio/projects/$id/$tab" params={{ id: project.id, tab: 'generate' }} search={{}}>
            Make something for it
          </Link>
        }
      >
        What is generated for it appears here, and what is moved here from the gallery.
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.grid}>
        {assets.items.map((asset) => (
          <li key={asset.id} className={styles.item}>
            <Tile asset={asset} />
          </li>
        ))}
      </ul>
      {assets.hasNextPage && (
        <Button busy={assets.isFetchingNextPage} onClick={() => void assets.fetchNextPage()}>
          Show more
        </Button>
      )}
    </>
  );
}

function Tile({ asset }: { asset: ProjectAsset }) {
  const words = asset.prompt || asset.name || asset.kind;
  const content = (
    <>
      <span className={styles.picture}>{picture(asset)}</span>
      <span className={styles.words}>{words}</span>
      <span className={styles.facts}>
        {asset.kind} · <Time at={asset.created_at} />
      </span>
    </>
  );
  if (!asset.generation_id) {
    return (
      <a href={fileAddress(asset.file_url)} target="_blank" rel="noopener" className={styles.tile}>
        {content}
      </a>
    );
  }
  return (
    <Link to="/studio/generations/$id" params={{ id: asset.generation_id }} className={styles.tile}>
      {content}
    </Link>
  );
}

function picture(asset: ProjectAsset) {
  if (asset.thumbnail_url) return <img src={fileAddress(asset.thumbnail_url)} alt="" loading="lazy" />;
  const Icon = SYMBOLS[asset.type];
  return <Icon aria-hidden="true" />;
}

function Shapes() {
  return (
    <div className={styles.grid}>
      <Loading />
      {[1, 2, 3, 4].map((n) => (
        <Skeleton key={n} height={220} />
      ))}
    </div>
  );
}
