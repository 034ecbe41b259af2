import { ROOT } from '@/api/address';
import type { Asset } from '@/api/assets';
import { askEarly } from '@/api/early';
import grid from './Grid.module.css';
import { pictureFor, shapeOf } from './pictures';
import { GAP, heightOf, type Row, rowsOf, wishedHeight } from './rows';
import tile from './Tile.module.css';
import loading from './TilesLoading.module.css';

/** What the gallery asks for at once. */
export const FIRST_PAGE = '/api/v1/assets?limit=50';

/**
 * Draws the gallery's first pictures where the grid will be, while the application is on its way, which then draws the
 * same in their place. Ends when the pictures are there.
 */
export async function drawFirstTiles(): Promise<void> {
  try {
    await draw();
  } catch {
    // The application asks again, and says what is wrong.
  }
}

async function draw(): Promise<void> {
  if (location.pathname !== `${ROOT}/studio/gallery` || location.search) return;
  const place = document.querySelector<HTMLElement>(`#root .${loading.rows}`);
  if (!place) return;
  const response = await askEarly(FIRST_PAGE);
  if (!response.ok) return;
  const { data } = (await response.json()) as { data: Asset[] };
  if (data.length === 0 || !place.isConnected) return;
  place.replaceChildren(gridOf(data, place));
  await Promise.allSettled([...place.querySelectorAll('img')].map((picture) => picture.decode()));
}

function gridOf(assets: readonly Asset[], place: HTMLElement): HTMLElement {
  const width = place.clientWidth;
  const inSight = window.innerHeight - place.offsetTop;
  const rows = rowsOf(assets.map(shapeOf), width, wishedHeight(width), GAP);
  const list = document.createElement('ul');
  list.className = grid.grid ?? '';
  list.style.height = `${heightOf(rows)}px`;
  list.append(...rows.filter(({ top }) => top < inSight).flatMap((row) => tilesOf(row, assets)));
  return list;
}

function tilesOf(row: Row, assets: readonly Asset[]): HTMLElement[] {
  return row.tiles.flatMap(({ index, left, width }) => {
    const asset = assets[index];
    if (!asset) return [];
    const item = document.createElement('li');
    item.className = tile.tile ?? '';
    Object.assign(item.style, {
      left: `${left}px`,
      top: `${row.top}px`,
      width: `${width}px`,
      height: `${row.height}px`,
    });
    item.append(showOf(pictureFor(asset, width)));
    return [item];
  });
}

/** The picture, or the empty place of what has none. */
function showOf(src: string | null): HTMLElement {
  const show = document.createElement('span');
  show.className = tile.show ?? '';
  if (src) {
    const picture = new Image();
    picture.alt = '';
    picture.decoding = 'async';
    picture.src = src;
    show.append(picture);
  }
  return show;
}
