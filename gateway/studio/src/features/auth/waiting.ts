import { useEffect, useState } from 'react';
import { asProblem } from '@/api/problem';

/** Seconds until it may be tried again, after too many attempts; 0 when it may be tried now. */
export function useWait(error: unknown): number {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const seconds = error ? asProblem(error).retryAfterS : null;
    setNow(Date.now());
    setUntil(seconds === null ? 0 : Date.now() + seconds * 1000);
  }, [error]);
  useEffect(() => {
    if (until === 0) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  return Math.max(0, Math.ceil((until - now) / 1000));
}
