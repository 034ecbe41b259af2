import { type Limits, secondsOf, tooShortOrLong } from '@/features/players/sample';
import { bring } from './transfers';

/**
 * Measures a sample and sends it if it can be used, or only measures it; says why it cannot be used, else null.
 * What this browser cannot decode is left to the gateway to judge.
 */
export async function bringVoice(
  kind: string,
  field: string,
  file: File,
  limits: Limits,
  then: 'send' | 'check' = 'send',
): Promise<string | null> {
  const seconds = await secondsOf(file);
  const refused = seconds === null ? null : tooShortOrLong(seconds, limits);
  if (refused === null && then === 'send') bring(kind, field, file);
  return refused;
}
