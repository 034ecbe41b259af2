import { expect, it } from 'vitest';
import { clock } from './clock';
import { barsOf, halvesOf, pathOf } from './peaks';
import { stepped } from './Scrubber';
import { FIT, panned, zoomed } from './zoom';

const PANE = { width: 400, height: 200 };

it('sums peaks up into bars, the loudest at full height', () => {
  expect(barsOf({ data: [-10, 5, -64, 20, 0, 32, 0, 0] }, 4)).toEqual([10 / 64, 1, 0.5, 0.03]);
  expect(barsOf({ data: [-10, 5, -64, 20] }, 4)).toHaveLength(4);
  expect(halvesOf({ data: [-127, 0, 0, 127] })).toEqual([Float32Array.of(0, 1), Float32Array.of(-1, 0)]);
  expect(pathOf([1])).toBe('M0.8 0.0h2.4v100.0h-2.4z');
});

it('steps through a sound by keys', () => {
  expect(['ArrowRight', 'PageDown', 'Home', 'End', 'a'].map((key) => stepped(key, 20, 100))).toEqual([
    25,
    10,
    0,
    100,
    null,
  ]);
  expect([7.9, 221, 3729].map(clock)).toEqual(['0:07', '3:41', '1:02:09']);
});

it('enlarges around a point, and never shows what is beside the picture', () => {
  const close = zoomed(FIT, 2, { x: 100, y: 0 }, PANE);
  expect(close).toEqual({ scale: 2, x: -100, y: 0 });
  expect(panned(close, -500, 500, PANE)).toEqual({ scale: 2, x: -200, y: 100 });
  expect(zoomed(close, 0.1, { x: 0, y: 0 }, PANE)).toEqual(FIT);
});
