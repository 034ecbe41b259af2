import { Link } from '@tanstack/react-router';
import { fileAddress } from '@/api/address';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { setFile } from '../drafts';
import { titleFor } from '../prompts';
import { useRecent } from '../recent';
import styles from './RecentPictures.module.css';

/** Pictures that were made here, to choose one as an input. */
export function RecentPictures({ kind, field, listed }: { kind: string; field: string; listed: boolean }) {
  const { data, error, refetch } = useRecent('image,upscale', 'completed');
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <div className={styles.row}>
        <Loading />
        <Skeleton height={56} />
      </div>
    );
  }
  const pictures = data.flatMap((made) => made.outputs.map((output) => ({ made, output })));
  if (pictures.length === 0) {
    return (
      <p className={styles.none}>
        No pictures yet.{' '}
        <Link to="/studio/create/$kind" params={{ kind: 'image' }}>
          Make one
        </Link>
        .
      </p>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: buttons of one row, not fields
    <div role="group" aria-label="Recent pictures" className={styles.row}>
      {pictures.map(({ made, output }) => (
        <button
          key={`${made.id}/${output.n}`}
          type="button"
          className={styles.picture}
          aria-label={`Use ${titleFor(made)}`}
          title={titleFor(made)}
          onClick={() =>
            setFile(
              kind,
              field,
              `${made.id}/${output.n}`,
              {
                name: titleFor(made),
                mime: output.mime,
                thumbnail: output.thumbnail_url ?? output.url,
                seconds: null,
              },
              listed,
            )
          }
        >
          <img
            src={fileAddress(output.thumbnail_url ?? output.url)}
            alt=""
            width={56}
            height={56}
            loading="lazy"
          />
        </button>
      ))}
    </div>
  );
}
