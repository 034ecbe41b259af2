import { expect, it } from 'vitest';
import { requestOf, sharedName } from './requests';

const model = (id: string, aliases: string[], available = true) => ({
  id,
  provider: id.split('/')[0] ?? '',
  aliases,
  available,
});
const replicate = model('replicate/flux-2-pro', ['flux-2']);
const models = [replicate, model('fal/flux-2-pro', ['flux-2']), model('local/image', ['local'])];

it('names the product, with the chosen provider first, when others may stand in', () => {
  const asked = requestOf('image', replicate, models, { project: null, standIns: true }, { prompt: 'x' });
  expect(asked).toEqual({
    kind: 'image',
    input: { prompt: 'x' },
    model: 'flux-2',
    provider: { order: ['replicate'], fallbacks: true },
  });
});

it('names the model itself when it was meant, or when nobody shares its name', () => {
  const own = requestOf('image', replicate, models, { project: 'p', standIns: false }, {});
  expect(own).toEqual({ kind: 'image', input: {}, model: 'replicate/flux-2-pro', project_id: 'p' });
  expect(sharedName(model('local/image', ['local']), models)).toBeNull();
  expect(sharedName(replicate, [replicate, model('fal/flux-2-pro', ['flux-2'], false)])).toBeNull();
});
