import { expect, it } from 'vitest';
import type { Generation } from '@/api/client';
import { type Draft, read } from './drafts';
import { filled, prefillOf, prefillWith } from './prefill';

const outputs = [{ metadata: { seed: 7 } }] as unknown as Generation['outputs'];
const input = { prompt: 'a heron', steps: 20, count: 3, seed: null } as unknown as Generation['input'];
const made = { kind: 'image', model: 'fal/flux', input, outputs, project_id: 'p1' };
const draft: Draft = {
  ...read(null),
  model: 'local',
  project: 'p2',
  values: { prompt: 'a crane', style: 'ink', mask: 'm', seed: 1 },
};

it('takes the words alone and leaves the rest of the form', () => {
  const next = filled(draft, prefillOf(made, 'prompt'));
  expect(next).toEqual({ ...draft, values: { ...draft.values, prompt: 'a heron' } });
  const messages = [{ content: 'Hello' }, { content: 'And now?' }];
  const said = prefillOf({ ...made, kind: 'text', input: { messages } as never }, 'prompt');
  expect(said.input).toEqual({ prompt: 'And now?' });
});

it('takes all of it, with the seed that is wished for', () => {
  const whole = { prompt: 'a heron', steps: 20 };
  const next = filled(draft, prefillOf(made, 'all'));
  expect(next).toMatchObject({ model: 'fal/flux', times: 3, project: 'p2' });
  expect(next.values).toEqual(whole);
  expect(filled(draft, prefillOf(made, 'same')).values).toEqual({ ...whole, seed: 7 });
  const asked = { ...made, input: { ...input, seed: 5 } as Generation['input'] };
  expect(filled(draft, prefillOf(asked, 'same')).values.seed).toBe(5);
  expect(filled(draft, prefillOf(asked, 'new')).values).toEqual(whole);
  expect(filled(draft, prefillOf(made, 'seed')).values).toEqual({ ...draft.values, seed: 7 });
});

it('goes back to the project of what is changed, or to none', () => {
  expect(filled(draft, prefillOf(made, 'edit')).project).toBe('p1');
  expect(filled(draft, prefillOf({ ...made, project_id: null }, 'edit')).project).toBe(null);
  expect(filled(draft, { kind: 'image', project: 'p3' })).toEqual({ ...draft, project: 'p3' });
});

it('begins with a picture, without what belonged to another', () => {
  const note = { name: 'a heron', mime: 'image/png', thumbnail: null, seconds: null };
  const next = filled(draft, prefillWith('image', 'a1', note, 'a heron'));
  expect(next.values).toEqual({ prompt: 'a heron', style: 'ink', seed: 1, image: 'a1' });
  expect(next.files).toEqual({ a1: note });
  expect(filled(draft, prefillWith('upscale', 'a1', note, 'a heron')).values.prompt).toBe('a crane');
});
