import { useEffect } from 'react';
import { type Job, overall, unfinished } from '@/live/jobs';
import { live } from '@/live/live';
import { showIcon } from './icon';

const NAME = 'Penstock';
let view = '';

/** What a view is called in the tab: every view says it once. */
export function useTitle(title: string): void {
  useEffect(() => {
    view = title;
    show();
  }, [title]);
}

/** Keeps the percentage of what runs in the tab's title. */
export function watchTitle(): void {
  live.subscribe(show);
  show();
}

function show(): void {
  const progress = progressOf(unfinished(live.snapshot().jobs));
  const title = titleOf(view, progress);
  if (document.title !== title) document.title = title;
  showIcon(progress);
}

/** Null when nothing runs; of what runs without a number, nothing is done yet. */
function progressOf(jobs: readonly Job[]): number | null {
  return jobs.length > 0 ? (overall(jobs) ?? 0) : null;
}

function titleOf(name: string, progress: number | null): string {
  const percent = progress === null ? '' : `${Math.floor(progress * 100)}% · `;
  return `${percent}${name ? `${name} · ` : ''}${NAME}`;
}
