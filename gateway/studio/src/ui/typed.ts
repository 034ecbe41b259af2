import { useState } from 'react';

/**
 * What is typed, which begins with a value and begins anew when that changes. Not by an effect: the first one may come
 * after somebody has begun to type.
 */
export function useTyped(value: string): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(value);
  const [begunWith, setBegunWith] = useState(value);
  if (begunWith !== value) {
    setBegunWith(value);
    setTyped(value);
  }
  return [typed, setTyped];
}
