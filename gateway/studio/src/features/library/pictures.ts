import { fileAddress } from '@/api/address';
import type { Asset } from '@/api/assets';

const THUMBNAIL_SIDE = 512;
const WIDTHS = [640, 960, 1280, 1920];
const SHAPES: Record<string, number> = { audio: 1.6, text: 1.2, video: 16 / 9, image: 1 };

/** Width by height, for its place in the grid. */
export function shapeOf(asset: Pick<Asset, 'type' | 'width' | 'height'>): number {
  if (asset.width && asset.height && asset.type !== 'audio') return asset.width / asset.height;
  return SHAPES[asset.type] ?? 1;
}

/** The smallest picture that is sharp in a place of that width, in CSS pixels. */
export function pictureFor(asset: Asset, width: number): string | null {
  const wanted = width * Math.min(2, window.devicePixelRatio);
  const shape = shapeOf(asset);
  const thumbnail = shape >= 1 ? THUMBNAIL_SIDE : THUMBNAIL_SIDE * shape;
  if (asset.thumbnail_url && (wanted <= thumbnail * 1.2 || asset.type !== 'image'))
    return fileAddress(asset.thumbnail_url);
  if (asset.type !== 'image') return null;
  return scaled(asset, WIDTHS.find((one) => one >= wanted) ?? 1920);
}

export function scaled(asset: Asset, width: number): string {
  return fileAddress(`${asset.file_url}?w=${width}`);
}
