/** What a form asks for: each parameter of a model's JSON Schema, flat, in the order in which it is shown. */

export type Widget =
  | 'textarea'
  | 'text'
  | 'slider'
  | 'number'
  | 'select'
  | 'switch'
  | 'seed'
  | 'dimensions'
  | 'ratio'
  | 'file'
  | 'files'
  | 'recording'
  | 'language'
  | 'tags'
  | 'messages'
  | 'json'
  | 'hidden';

export interface Choice {
  value: string | number;
  label: string;
}

export interface FormField {
  name: string;
  title: string;
  help: string | null;
  widget: Widget;
  advanced: boolean;
  required: boolean;
  order: number;
  /** As JSON Schema names it: `string`, `integer`, `number`, `boolean`, `array`, `object`. */
  type: string;
  /** What may be chosen; empty when it is free. */
  choices: readonly Choice[];
  /** Values to begin with where others are fine too, such as a provider's own voices. */
  examples: readonly string[];
  min: number | null;
  max: number | null;
  step: number;
  maxLength: number | null;
  maxItems: number | null;
  unit: string | null;
  default: unknown;
  /** Media types of a file. */
  accept: readonly string[];
  /** How long a recording may be, from and to. */
  seconds: readonly [number, number] | null;
}

type Json = Readonly<Record<string, unknown>>;

/** The fields of a schema, in order; what is hidden is left out. */
export function fieldsOf(schema: Json): FormField[] {
  const properties = record(schema.properties);
  const required = new Set(list(schema.required).map(String));
  return Object.entries(properties)
    .map(([name, spec], place) => fieldOf(name, record(spec), required.has(name), place))
    .filter((field) => field.widget !== 'hidden')
    .sort((a, b) => a.order - b.order);
}

const FLAT: Readonly<Record<string, string>> = {
  minLength: 'min_length',
  maxLength: 'max_length',
  maxItems: 'max_items',
};
const UNSAID_ORDER = 1_000;

/** What `x-form` says, else what the schema itself does. */
function fieldOf(name: string, spec: Json, required: boolean, place: number): FormField {
  const form = record(spec['x-form']);
  const plain = plainly(spec);
  const said = (word: string) => form[FLAT[word] ?? word] ?? plain[word];
  const type = text(said('type')) ?? 'object';
  const values = list(said('enum')).filter(isChoice);
  const labels = list(form.labels).map(String);
  const [min, max] = [number(said('minimum')), number(said('maximum'))];
  const maxLength = number(said('maxLength'));
  return {
    name,
    title: text(form.title) ?? titleOf(name),
    help: text(spec.description),
    widget: (text(form.widget) as Widget | null) ?? widgetOf(type, values.length > 0, min, max, maxLength),
    advanced: form.advanced === true,
    required,
    order: number(form.order) ?? UNSAID_ORDER + place,
    type,
    choices: values.map((value, index) => ({ value, label: labels[index] ?? titleOf(String(value)) })),
    examples: list(spec.examples).map(String),
    min,
    max,
    step: number(form.step) ?? (type === 'integer' ? 1 : 0.1),
    maxLength,
    maxItems: number(said('maxItems')),
    unit: text(form.unit),
    default: said('default') ?? null,
    accept: list(form.accept).map(String),
    seconds: pair(form.seconds),
  };
}

function widgetOf(
  type: string,
  chosen: boolean,
  min: number | null,
  max: number | null,
  maxLength: number | null,
): Widget {
  if (chosen) return 'select';
  if (type === 'integer' || type === 'number') return min !== null && max !== null ? 'slider' : 'number';
  if (type === 'boolean') return 'switch';
  if (type === 'array') return 'tags';
  if (type === 'string') return maxLength !== null && maxLength > 500 ? 'textarea' : 'text';
  return 'json';
}

/** Without its alternatives: of what may be null, what it is otherwise. */
function plainly(spec: Json): Json {
  const branches = list(spec.anyOf)
    .map(record)
    .filter((branch) => branch.type !== undefined && branch.type !== 'null');
  return { ...branches[0], ...spec };
}

/** `negative_prompt` as `Negative prompt`. */
export function titleOf(name: string): string {
  const words = name.replaceAll(/[_-]/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function isChoice(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function pair(value: unknown): readonly [number, number] | null {
  const [from, to] = list(value);
  return typeof from === 'number' && typeof to === 'number' ? [from, to] : null;
}
