import { expect, it } from 'vitest';
import { obvious, purposesOf } from './purposes';

it('offers what a file can be, the present tab first', () => {
  expect(purposesOf('image/png', 'video').map((one) => one.kind)).toEqual(['video', 'image', 'upscale']);
  expect(purposesOf('audio/webm', 'image').map((one) => one.field)).toEqual(['voice_sample']);
  expect(purposesOf('application/pdf', 'image')).toEqual([]);
});

it('asks only where it cannot know', () => {
  expect(obvious(purposesOf('image/png', 'upscale'), 'upscale')?.kind).toBe('upscale');
  expect(obvious(purposesOf('audio/mp3', 'music'), 'music')?.kind).toBe('audio');
  expect(obvious(purposesOf('image/png', 'image'), 'image')).toBeNull();
});
