import { isOver, type Job } from '@/live/jobs';

type Timed = Pick<Job, 'status' | 'etaSeconds' | 'etaP90Seconds' | 'etaAt'>;

const MINUTE_S = 60;
const HOUR_S = 3600;

/**
 * When it will be done, as a range in steps: a number that changes each second says more than anybody knows.
 * Null when nothing is known.
 */
export function etaWords(job: Timed, now: number): string | null {
  if (isOver(job) || job.etaSeconds === null) return null;
  const passed = Math.max(0, now - job.etaAt) / 1000;
  const least = Math.max(0, job.etaSeconds - passed);
  const most = Math.max(job.etaP90Seconds ?? job.etaSeconds, job.etaSeconds) - passed;
  if (most <= 0) return passed > 0 ? 'taking longer than usual' : 'any moment';
  return `${range(least, most)} left`;
}

function range(least: number, most: number): string {
  const [unit, size] = unitOf(most);
  const from = down(least, size);
  const to = up(most, size);
  if (from === 0) return `under ${to} ${unit}`;
  return from === to ? `about ${to} ${unit}` : `${from}–${to} ${unit}`;
}

/** The unit, and how many seconds it has. */
function unitOf(seconds: number): [string, number] {
  if (seconds <= MINUTE_S) return ['s', 1];
  return seconds <= HOUR_S ? ['min', MINUTE_S] : ['h', HOUR_S];
}

function down(seconds: number, size: number): number {
  const units = seconds / size;
  return Math.floor(units / step(units, size)) * step(units, size);
}

function up(seconds: number, size: number): number {
  const units = seconds / size;
  return Math.ceil(units / step(units, size)) * step(units, size);
}

/** Five and ten seconds; one minute, and five from ten on; one hour. */
function step(units: number, size: number): number {
  if (size === 1) return units < 30 ? 5 : 10;
  return size === MINUTE_S && units > 10 ? 5 : 1;
}
