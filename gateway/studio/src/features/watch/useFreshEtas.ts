import { useQuery } from '@tanstack/react-query';
import { keys } from '@/api/keys';
import { lookAgain } from '@/live/live';

const EVERY_MS = 5_000;

/** Places in queues change when others end, of which no frame tells: they are asked for, while somebody looks. */
export function useFreshEtas(wanted: boolean): void {
  useQuery({
    queryKey: [...keys.generations, 'unfinished'],
    queryFn: () => lookAgain().then(() => null),
    enabled: wanted,
    refetchInterval: EVERY_MS,
    staleTime: EVERY_MS,
  });
}
