import { Link } from '@tanstack/react-router';
import { AudioLines, FileText, Images, Music } from 'lucide-react';
import { fileAddress } from '@/api/address';
import type { Generation } from '@/api/client';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { titleFor } from './prompts';
import styles from './Recent.module.css';
import { useRecent } from './recent';

interface Props {
  kind: string;
  shown: string | null;
  onShow: (id: string) => void;
}

/** The latest of a kind, as tiles; all of them are in the gallery. */
export function RecentGallery({ kind, shown, onShow }: Props) {
  const { data, error, refetch } = useRecent(kind, 'completed');
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <div className={styles.tiles}>
        <Loading />
        {['a', 'b', 'c', 'd', 'e', 'f'].map((one) => (
          <Skeleton key={one} height={140} />
        ))}
      </div>
    );
  }
  if (data.length === 0) {
    return (
      <EmptyState icon={<Images />} title="Nothing here yet">
        What you make appears here, newest first.
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.tiles}>
        {data.map((made) => (
          <li key={made.id}>
            <button
              type="button"
              className={styles.tile}
              aria-pressed={made.id === shown}
              onClick={() => onShow(made.id)}
            >
              <Face made={made} />
              <span className={styles.caption}>{titleFor(made)}</span>
            </button>
          </li>
        ))}
      </ul>
      <Link to="/studio/gallery" className={styles.all}>
        All in the gallery
      </Link>
    </>
  );
}

const ICONS = { audio: AudioLines, music: Music, text: FileText } as const;

function Face({ made }: { made: Generation }) {
  const output = made.outputs[0];
  const picture = output?.thumbnail_url ?? output?.poster_url;
  if (picture) {
    return <img className={styles.face} src={fileAddress(picture)} alt="" loading="lazy" />;
  }
  if (output?.text) return <span className={styles.excerpt}>{output.text.slice(0, 240)}</span>;
  const Icon = ICONS[made.kind as keyof typeof ICONS] ?? Images;
  return (
    <span className={styles.face}>
      <Icon aria-hidden="true" />
    </span>
  );
}
