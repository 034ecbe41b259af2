import { expect, it } from 'vitest';
import { fieldsOf } from './fields';

const IMAGE = {
  type: 'object',
  required: ['prompt'],
  properties: {
    simulate: { type: 'object', 'x-form': { order: 15, title: 'Simulate', widget: 'hidden' } },
    steps: {
      anyOf: [{ type: 'integer', minimum: 1, maximum: 100 }, { type: 'null' }],
      maximum: 4,
      description: 'Denoising steps.',
      'x-form': {
        order: 12,
        title: 'Steps',
        widget: 'slider',
        type: 'integer',
        minimum: 1,
        maximum: 4,
        step: 1,
        advanced: true,
      },
    },
    prompt: {
      type: 'string',
      'x-form': { order: 1, title: 'Prompt', widget: 'textarea', type: 'string', max_length: 8000 },
    },
    style: {
      'x-form': { order: 5, title: 'Style', widget: 'select', enum: ['3d-render'], labels: ['3D render'] },
    },
  },
};

it('shows what the gateway describes, in its order, and hides what is hidden', () => {
  const fields = fieldsOf(IMAGE);
  expect(fields.map((field) => field.name)).toEqual(['prompt', 'style', 'steps']);
  expect(fields[0]).toMatchObject({ required: true, maxLength: 8000, widget: 'textarea' });
  expect(fields[1]?.choices).toEqual([{ value: '3d-render', label: '3D render' }]);
  expect(fields[2]).toMatchObject({ min: 1, max: 4, step: 1, advanced: true, help: 'Denoising steps.' });
});

it('finds a control for what nobody described', () => {
  const fields = fieldsOf({
    properties: {
      camera_path: { anyOf: [{ type: 'string', enum: ['left', 'right'] }, { type: 'null' }] },
      strength: { type: 'number', minimum: 0, maximum: 1 },
      frames: { type: 'integer', minimum: 1 },
      looped: { type: 'boolean', default: false },
      words: { type: 'array', items: { type: 'string' }, maxItems: 3 },
      lyrics: { type: 'string', maxLength: 5000 },
      extra: {},
    },
  });
  const widgets = Object.fromEntries(fields.map((field) => [field.name, field.widget]));
  expect(widgets).toEqual({
    camera_path: 'select',
    strength: 'slider',
    frames: 'number',
    looped: 'switch',
    words: 'tags',
    lyrics: 'textarea',
    extra: 'json',
  });
  expect(fields[0]).toMatchObject({ title: 'Camera path', choices: [{ value: 'left', label: 'Left' }, {}] });
});

it("keeps to the model's own limits where they are narrower than the kind's", () => {
  const [ratio] = fieldsOf({
    properties: { aspect_ratio: { anyOf: [{ type: 'string', enum: ['1:1', '21:9'] }], enum: ['1:1'] } },
  });
  expect(ratio?.choices).toEqual([{ value: '1:1', label: '1:1' }]);
});
