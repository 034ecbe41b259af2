import { expect, it } from 'vitest';
import { recipeOf } from './recipes';

it('reads a recipe, and a request alone', () => {
  const request = { kind: 'image', model: 'local', input: { prompt: 'a heron', seed: 7 } };
  expect(recipeOf(JSON.stringify({ object: 'recipe', version: 1, request }))).toEqual(request);
  expect(recipeOf(JSON.stringify({ kind: 'music', input: {} }))).toEqual({
    kind: 'music',
    model: null,
    input: {},
  });
});

it('takes nothing else for one', () => {
  expect(['', '[]', 'null', '{"kind": "image"}', '{"input": {}}'].map(recipeOf)).toEqual(
    Array.from({ length: 5 }, () => null),
  );
});
