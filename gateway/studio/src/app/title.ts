import { useEffect } from 'react';
import { overall, unfinished } from '@/live/jobs';
import { live } from '@/live/live';

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
  const title = titleOf(view, unfinished(live.snapshot().jobs));
  if (document.title !== title) document.title = title;
}

export function titleOf(name: string, running: Parameters<typeof overall>[0]): string {
  const progress = running.length ? (overall(running) ?? 0) : null;
  const percent = progress === null ? '' : `${Math.floor(progress * 100)}% · `;
  return `${percent}${name ? `${name} · ` : ''}${NAME}`;
}
