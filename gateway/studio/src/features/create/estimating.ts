import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { fetchEstimate } from '@/api/estimates';
import type { NewGeneration } from '@/api/generations';
import { keys } from '@/api/keys';

const PAUSE_MS = 250;

/** The price of a form at every pause in typing; the last one stands until the next has come. */
export function useEstimate(request: NewGeneration | null) {
  const asked = useSettled(request);
  return useQuery({
    queryKey: keys.estimate({ request: asked }),
    queryFn: ({ signal }) => fetchEstimate(asked as NewGeneration, signal),
    enabled: asked !== null,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    gcTime: 60_000,
  });
}

/** A value once it has not changed for a while. */
function useSettled<T>(value: T): T {
  const words = JSON.stringify(value);
  const [settled, setSettled] = useState(words);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(words), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return JSON.parse(settled) as T;
}
