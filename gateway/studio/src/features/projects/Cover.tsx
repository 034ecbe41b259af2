import { useQuery } from '@tanstack/react-query';
import { AudioLines, Clapperboard, FileText, FolderOpen } from 'lucide-react';
import { fileAddress } from '@/api/address';
import { keys } from '@/api/keys';
import { fetchProjectAssets, type Project, type ProjectAsset } from '@/api/projects';
import styles from './Cover.module.css';

const SHOWN = 3;
const SYMBOLS = { audio: AudioLines, video: Clapperboard, text: FileText };

/** What a project looks like: its own picture, else the newest things in it. */
export function Cover({ project }: { project: Project }) {
  const filters = { project: project.id, limit: SHOWN };
  const newest = useQuery({
    queryKey: keys.assets(filters),
    queryFn: () => fetchProjectAssets(project.id, SHOWN),
    enabled: !project.thumbnail_url,
  });
  if (project.thumbnail_url) {
    return (
      <div className={styles.cover}>
        <img src={fileAddress(project.thumbnail_url)} alt="" loading="lazy" />
      </div>
    );
  }
  const assets = newest.data?.data ?? [];
  return (
    <div className={styles.cover} data-count={assets.length}>
      {assets.length === 0 && newest.data ? <FolderOpen aria-hidden="true" /> : assets.map(thumbnail)}
    </div>
  );
}

function thumbnail(asset: ProjectAsset) {
  if (asset.thumbnail_url) {
    return <img key={asset.id} src={fileAddress(asset.thumbnail_url)} alt="" loading="lazy" />;
  }
  const Icon = SYMBOLS[asset.type as keyof typeof SYMBOLS] ?? FileText;
  return (
    <span key={asset.id} className={styles.symbol}>
      <Icon aria-hidden="true" />
    </span>
  );
}
