import { expect, it } from 'vitest';
import { found, modelOf } from './modelSearch';

const model = (id: string, available = true, aliases: string[] = []) => ({
  id,
  label: id.toUpperCase(),
  provider: id.split('/')[0] ?? '',
  description: 'Pictures from words.',
  aliases,
  available,
  shutdown_date: null as string | null,
});
const models = [
  model('fal/flux', false, ['flux-2']),
  model('runware/flux', true, ['flux-2']),
  model('local/image'),
];

it('finds by every word, and shows what can run first', () => {
  expect(found(models, 'flux words').map((one) => one.id)).toEqual(['runware/flux', 'fal/flux']);
  expect(found(models, 'heron')).toEqual([]);
});

it("takes a draft's model by its own name, by a product's, else the first that can run", () => {
  expect(modelOf(models, 'fal/flux')?.id).toBe('fal/flux');
  expect(modelOf(models, 'flux-2')?.id).toBe('runware/flux');
  expect(modelOf(models, null)?.id).toBe('runware/flux');
  expect(modelOf(models, 'gone')?.id).toBe('runware/flux');
});

it('begins with the usual product where nobody chose, if somebody can make it', () => {
  const usual = [model('local/image'), ...models];
  expect(modelOf(usual, null, 'flux-2')?.id).toBe('runware/flux');
  expect(modelOf(usual, null, 'dall-e-3')?.id).toBe('local/image');
  expect(modelOf(usual, 'local/image', 'flux-2')?.id).toBe('local/image');
  const ending = { ...model('openai/old'), shutdown_date: '2027-01-14' };
  expect(modelOf([ending, ...usual], null)?.id).toBe('local/image');
  expect(modelOf([ending], null)?.id).toBe('openai/old');
});
