import { expect, it } from 'vitest';
import { extremesOf, tooShortOrLong } from './sample';

it('says why a sample is too short or too long', () => {
  expect(tooShortOrLong(9.96, [10, 30])).toBe('It is 10.0 s long; a sample needs 10 s at least.');
  expect(tooShortOrLong(31, [10, 30])).toContain('30 s at most');
  expect([10, 20, 30].map((seconds) => tooShortOrLong(seconds, [10, 30]))).toEqual([null, null, null]);
});

it('measures what was recorded here as the gateway measures what it keeps', () => {
  expect(extremesOf(Float32Array.of(0.5, -1, 0.25, 1), 2)).toEqual([-127, 64, 0, 127]);
  expect(extremesOf(Float32Array.of(0.5), 2)).toHaveLength(4);
});
