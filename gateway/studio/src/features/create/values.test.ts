import { expect, it } from 'vitest';
import { fieldsOf } from './fields';
import { inputOf, inputsOf, leftOut, withValue } from './values';

const fields = fieldsOf({
  properties: {
    prompt: { type: 'string' },
    steps: { type: 'integer', minimum: 1, maximum: 4 },
    style: { type: 'string', enum: ['anime'] },
    count: { type: 'integer', minimum: 1, maximum: 2 },
    seed: { type: 'integer' },
    image: { type: 'string' },
    mask: { type: 'string' },
  },
});

it('sends what was chosen as far as the model takes it, and names the rest', () => {
  const values = { prompt: 'a heron', steps: 30, style: 'anime', negative_prompt: 'fog', mask: 'one' };
  expect(inputOf(values, fields)).toEqual({ prompt: 'a heron', style: 'anime' });
  expect(leftOut(values, fields)).toEqual(['steps', 'negative_prompt']);
});

it('takes size and shape in place of each other, and forgets what was emptied', () => {
  const sized = withValue({ aspect_ratio: '1:1', prompt: 'x' }, 'size', '512x512');
  expect(sized).toEqual({ prompt: 'x', size: '512x512' });
  expect(withValue(sized, 'size', '')).toEqual({ prompt: 'x' });
});

it("makes several with the model's count as far as it goes, then with requests of their own seeds", () => {
  const values = { prompt: 'a heron', seed: 2 ** 32 - 1, count: 3 };
  expect(inputsOf(values, fields, 1)).toEqual([{ prompt: 'a heron', seed: 2 ** 32 - 1 }]);
  expect(inputsOf(values, fields, 2)).toEqual([{ prompt: 'a heron', seed: 2 ** 32 - 1, count: 2 }]);
  expect(inputsOf(values, fields, 4).map((input) => input.seed)).toEqual([2 ** 32 - 1, 0, 1, 2]);
});
