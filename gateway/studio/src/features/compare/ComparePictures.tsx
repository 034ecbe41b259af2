import { Columns2, RotateCcw, SlidersVertical } from 'lucide-react';
import { useState } from 'react';
import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';
import { VideoPlayer } from '@/features/players/VideoPlayer';
import { ZoomPane } from '@/features/players/ZoomPane';
import { FIT, STEP, type Zoom, zoomed } from '@/features/players/zoom';
import { useShortcuts } from '@/keyboard/registry';
import { Button } from '@/ui/Button';
import { SegmentedControl } from '@/ui/SegmentedControl';
import styles from './Compare.module.css';
import { Curtain } from './Curtain';
import type { Pair } from './contender';

type Way = 'slider' | 'sides';

const WAYS = [
  { value: 'slider' as const, label: 'Slider', icon: <SlidersVertical aria-hidden="true" /> },
  { value: 'sides' as const, label: 'Side by side', icon: <Columns2 aria-hidden="true" /> },
];
const PANE = { width: 800, height: 600 };

/** Two pictures one above the other with a slider, or beside each other; what is enlarged in one is in both. */
export function ComparePictures({ pair }: { pair: Pair }) {
  const films = pair.some(({ asset }) => asset.type === 'video');
  const [way, setWay] = useState<Way>(films ? 'sides' : 'slider');
  const [zoom, setZoom] = useState<Zoom>(FIT);
  const by = (factor: number) => () => setZoom((now) => zoomed(now, factor, { x: 0, y: 0 }, PANE));
  useShortcuts('Compare', [
    { chord: 's', label: 'Slider or side by side', run: () => setWay(way === 'slider' ? 'sides' : 'slider') },
    { chord: '+', label: 'Closer', run: by(STEP) },
    { chord: '-', label: 'Further', run: by(1 / STEP) },
    { chord: '0', label: 'As it fits', run: () => setZoom(FIT) },
  ]);
  const [a, b] = pair;
  return (
    <section aria-label="Pictures" className={styles.pictures}>
      {!films && (
        <div className={styles.tools}>
          <SegmentedControl label="How to compare" segments={WAYS} value={way} onChange={setWay} />
          <Button icon={<RotateCcw />} disabled={zoom.scale === 1} onClick={() => setZoom(FIT)}>
            {Math.round(zoom.scale * 100)} %
          </Button>
        </div>
      )}
      {way === 'slider' ? (
        <Curtain a={a.asset} b={b.asset} zoom={zoom} onZoom={setZoom} />
      ) : (
        <div className={styles.sides}>
          {pair.map(({ asset }, n) => (
            <figure key={n === 0 ? 'a' : 'b'} className={styles.side}>
              <Side asset={asset} zoom={zoom} onZoom={setZoom} name={n === 0 ? 'A' : 'B'} />
            </figure>
          ))}
        </div>
      )}
    </section>
  );
}

interface SideProps {
  asset: Asset;
  name: string;
  zoom: Zoom;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
}

function Side({ asset, name, zoom, onZoom }: SideProps) {
  return (
    <>
      <figcaption className={styles.label}>{name}</figcaption>
      {asset.type === 'video' ? (
        <VideoPlayer
          url={asset.file_url}
          title={`${name}: ${asset.prompt}`}
          posterUrl={asset.thumbnail_url}
        />
      ) : (
        <ZoomPane zoom={zoom} onZoom={onZoom}>
          <img src={fileAddress(asset.file_url)} alt={`${name}: ${asset.prompt}`} draggable={false} />
        </ZoomPane>
      )}
    </>
  );
}
