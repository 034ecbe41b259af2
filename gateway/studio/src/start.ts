import { drawFirstTiles } from '@/features/library/early';

/** What was rendered ahead is painted before the application takes the processor; a hidden page is not painted. */
const isAhead = document.getElementById('root')?.hasChildNodes();

if (isAhead && !document.hidden) requestAnimationFrame(() => setTimeout(start));
else start();

if (isAhead) void drawFirstTiles();

function start(): void {
  void import('./main');
}
