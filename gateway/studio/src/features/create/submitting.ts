import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { submitBatch } from '@/api/batches';
import type { Generation } from '@/api/client';
import { type NewGeneration, submit } from '@/api/generations';
import { newId } from '@/api/ids';
import { keys } from '@/api/keys';
import { OVERVIEW } from '@/api/overview';
import { asProblem } from '@/api/problem';
import { live } from '@/live/live';
import { sayProblem } from '@/ui/toasts';
import { expected } from './expected';

/**
 * Submits what a form asks for: at once in the tray, once per press however often it is pressed, and with the same
 * key again when the line broke before the answer came.
 */
export function useSubmit(onMade: (made: readonly Generation[]) => void) {
  const client = useQueryClient();
  const broken = useRef<{ words: string; key: string } | null>(null);
  const busy = useRef(false);
  const make = useMutation({
    mutationFn: async (requests: readonly NewGeneration[]) => {
      const words = JSON.stringify(requests);
      const key = broken.current?.words === words ? broken.current.key : newId();
      const forget = requests.map((request) => live.expect(expected(request)));
      try {
        const answer = await submitAll(requests, key);
        for (const one of answer.made) live.learn(one);
        broken.current = null;
        return answer;
      } catch (error) {
        broken.current = asProblem(error).code === 'OFFLINE' ? { words, key } : null;
        throw error;
      } finally {
        for (const one of forget) one();
      }
    },
    onSuccess: ({ made, refused }) => {
      for (const one of made) client.setQueryData(keys.generation(one.id), one);
      if (refused) sayProblem(refused);
      onMade(made);
    },
    onSettled: () => {
      busy.current = false;
      void client.invalidateQueries({ queryKey: ['estimate'] });
      void client.invalidateQueries({ queryKey: OVERVIEW });
      void client.invalidateQueries({ queryKey: [...keys.generations, 'list'] });
    },
  });
  const send = (requests: readonly NewGeneration[]) => {
    if (busy.current || requests.length === 0) return;
    busy.current = true;
    make.mutate(requests);
  };
  return { ...make, send };
}

async function submitAll(requests: readonly NewGeneration[], key: string) {
  const [first] = requests;
  if (requests.length > 1 || !first) {
    const answer = await submitBatch(requests, key);
    if (answer.made.length === 0 && answer.refused) throw answer.refused;
    return answer;
  }
  return { made: [await submit(first, key)], refused: null };
}
