import { expect, it } from 'vitest';
import { sides, USUAL_SIZES } from './dimensions';
import { suggestionsFor } from './suggestions';

it('offers what the first Creative Studio offered', () => {
  const genres = ['ambient', 'classical', 'electronic', 'jazz', 'rock', 'pop', 'cinematic', 'lo-fi'];
  const moods = ['happy', 'sad', 'energetic', 'calm', 'mysterious', 'epic'];
  const sizes = ['1024x1024', '1024x768', '768x1024', '1280x720', '1920x1080'];
  expect(suggestionsFor('music', 'genre')).toEqual(expect.arrayContaining(genres));
  expect(suggestionsFor('music', 'mood')).toEqual(expect.arrayContaining(moods));
  expect(USUAL_SIZES).toEqual(expect.arrayContaining(sizes));
});

it('offers sizes that are sizes', () => {
  expect(USUAL_SIZES.filter((size) => sides(size) === null)).toEqual([]);
});
