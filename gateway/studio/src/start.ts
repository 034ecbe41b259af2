import { drawFirstTiles } from '@/features/library/early';

/** Longer than this the application does not wait for what is drawn before it. */
const PATIENCE_MS = 800;

/** What was rendered ahead is painted before the application takes the processor; a hidden page is not painted. */
const isAhead = document.getElementById('root')?.hasChildNodes();

if (isAhead && !document.hidden)
  void Promise.race([drawFirstTiles(), pause(PATIENCE_MS)])
    .then(painted)
    .then(start);
else void start();

async function start(): Promise<void> {
  const later = document.querySelector<HTMLTemplateElement>('template#later');
  if (later) document.head.append(later.content);
  await import('./engine');
  await pause();
  await import('./main');
}

async function painted(): Promise<void> {
  await new Promise(requestAnimationFrame);
  await pause();
}

function pause(ms = 0): Promise<unknown> {
  return new Promise((done) => setTimeout(done, ms));
}
