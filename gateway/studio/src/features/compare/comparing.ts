import { useNavigate } from '@tanstack/react-router';
import { say } from '@/ui/toasts';

let first: string | null = null;

/** Compares by one key: the first that it is pressed on waits for the second. Ids are of assets or generations. */
export function useCompare(): (id: string) => void {
  const navigate = useNavigate();
  return (id) => {
    if (first === null || first === id) {
      first = id;
      say('Press C on another one to compare it with this.');
      return;
    }
    const search = { a: first, b: id };
    first = null;
    void navigate({ to: '/studio/compare', search: search as never });
  };
}
