import { isOver, type Job } from './jobs';
import { live } from './live';

type OnEnds = (jobs: readonly Job[]) => void;

const TOGETHER_MS = 800;
const listeners = new Set<OnEnds>();
let going: ReadonlySet<string> = new Set();
let ended: string[] = [];

/** Hears of what was seen running and has ended, several at once when they end together. */
export function onEnds(listener: OnEnds): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

live.subscribe(() => {
  const { jobs } = live.snapshot();
  for (const id of going) {
    const job = jobs.get(id);
    if (job && isOver(job) && ended.push(id) === 1) setTimeout(tell, TOGETHER_MS);
  }
  going = new Set([...jobs.values()].filter((job) => !isOver(job)).map((job) => job.id));
});

function tell(): void {
  const { jobs } = live.snapshot();
  const told = ended.map((id) => jobs.get(id)).filter((job) => job !== undefined);
  ended = [];
  if (told.length > 0) for (const listener of listeners) listener(told);
}
