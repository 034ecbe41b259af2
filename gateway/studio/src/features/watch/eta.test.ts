import { expect, it } from 'vitest';
import { etaWords } from './eta';

function words(eta: number, p90: number | null, passedS = 0): string | null {
  const job = { status: 'running', etaSeconds: eta, etaP90Seconds: p90, etaAt: 0 } as const;
  return etaWords(job, passedS * 1000);
}

it('tells a range in steps that counts down', () => {
  expect([0, 4, 9, 21, 40].map((passed) => words(22, 35, passed))).toEqual([
    '20–40 s left',
    '15–40 s left',
    '10–30 s left',
    'under 15 s left',
    'taking longer than usual',
  ]);
  expect(words(95, 170)).toBe('1–3 min left');
  expect(words(700, 1500)).toBe('10–25 min left');
  expect(words(3000, 7300)).toBe('under 3 h left');
});

it('takes one number for all there is to know, and knows nothing of what has ended', () => {
  expect(words(8, null)).toBe('5–10 s left');
  expect(words(0, null)).toBe('any moment');
  expect(etaWords({ status: 'completed', etaSeconds: 3, etaP90Seconds: 4, etaAt: 0 }, 0)).toBeNull();
});
