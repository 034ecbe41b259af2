import { useEffect, useState } from 'react';
import { onEnds } from '@/live/ends';
import type { Job } from '@/live/jobs';
import { doing } from './stages';
import { titleOf } from './titles';

const WORDS = 12;

/** Tells those who listen what has ended, in whichever view they are. */
export function Announcer() {
  const [message, setMessage] = useState('');
  useEffect(() => onEnds((jobs) => setMessage(said(jobs))), []);
  return (
    <div role="log" aria-live="polite" aria-label="What has ended" className="unseen">
      {message}
    </div>
  );
}

function said(jobs: readonly Job[]): string {
  const [only] = jobs;
  if (jobs.length !== 1 || !only) return `${jobs.length} jobs have ended`;
  return `${doing(only)}: ${titleOf(only).split(/\s+/).slice(0, WORDS).join(' ')}`;
}
