import { Link } from '@tanstack/react-router';
import { ExternalLink, Maximize2, X } from 'lucide-react';
import type { Asset } from '@/api/assets';
import { IconButton } from '@/ui/Button';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { AssetDetails } from './AssetDetails';
import { AssetShow } from './AssetShow';
import styles from './DetailsPanel.module.css';
import { nounOf } from './words';

interface Props {
  asset: Asset;
  onFull: () => void;
  onClose: () => void;
}

/** Beside the grid: what an asset is, how it came to be, and what can be done with it. */
export function DetailsPanel({ asset, onFull, onClose }: Props) {
  return (
    <aside aria-label="Details" className={styles.panel}>
      <header className={styles.head}>
        <h2>{nounOf(asset.kind)}</h2>
        <span className={styles.actions}>
          {asset.generation_id && (
            <Link
              to="/studio/generations/$id"
              params={{ id: asset.generation_id }}
              aria-label="Open as a page"
              title="Open as a page"
              className={classes(buttons.button, buttons.icon, buttons.quiet, buttons.sm)}
            >
              <ExternalLink aria-hidden="true" />
            </Link>
          )}
          <IconButton name="Full screen" icon={<Maximize2 />} size="sm" onClick={onFull} />
          <IconButton name="Close details" icon={<X />} size="sm" onClick={onClose} />
        </span>
      </header>
      <div className={styles.body}>
        <AssetShow asset={asset} onFull={onFull} />
        <AssetDetails asset={asset} />
      </div>
    </aside>
  );
}
