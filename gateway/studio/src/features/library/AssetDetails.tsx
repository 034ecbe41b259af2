import { useQuery } from '@tanstack/react-query';
import type { Asset } from '@/api/assets';
import { generationQuery } from '@/api/generations';
import { size } from '@/ui/bytes';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import { AssetActions } from './AssetActions';
import styles from './Details.module.css';
import { Facts } from './Facts';
import { Marks } from './Marks';
import { Origin } from './Origin';
import { Prompt } from './Prompt';
import { daysLeft } from './TileFace';

/** All that is known of an asset. Looking at it changes nothing, least of all the form. */
export function AssetDetails({ asset }: { asset: Asset }) {
  const id = asset.generation_id;
  const { data, error, isPending, refetch } = useQuery({
    ...generationQuery(id ?? ''),
    enabled: id !== null && !asset.deleted_at,
  });
  return (
    <div className={styles.details}>
      {asset.deleted_at ? (
        <p className={styles.soft}>In the trash: {daysLeft(asset)}.</p>
      ) : (
        <>
          <AssetActions asset={asset} generation={data} />
          <Marks asset={asset} />
        </>
      )}
      {asset.prompt && <Prompt text={asset.prompt} />}
      <Facts entries={factsOf(asset)} />
      {id && !asset.deleted_at && isPending && (
        <>
          <Loading />
          <Skeleton height={160} />
        </>
      )}
      {error && !data && <ErrorCard error={error} onRetry={() => void refetch()} />}
      {data && <Origin generation={data} />}
    </div>
  );
}

function factsOf(asset: Asset): [string, string][] {
  const shape = asset.width && asset.height ? `${asset.width} × ${asset.height}` : null;
  const facts: [string, string | null][] = [
    ['Size', shape],
    ['File', `${(asset.file_format ?? asset.mime).toUpperCase()}, ${size(asset.file_size_bytes)}`],
    ['Seed', asset.seed === null ? null : String(asset.seed)],
    ['From', asset.upload_id ? 'an upload' : null],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}
