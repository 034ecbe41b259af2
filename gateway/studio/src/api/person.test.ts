import { beforeEach, expect, it, vi } from 'vitest';

let person: typeof import('./person');
let kept: Map<string, string>;

beforeEach(async () => {
  kept = new Map();
  const storage = {
    get length() {
      return kept.size;
    },
    key: (n: number) => [...kept.keys()][n] ?? null,
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => void kept.set(name, text),
    removeItem: (name: string) => void kept.delete(name),
  };
  vi.stubGlobal('localStorage', storage);
  vi.stubGlobal('sessionStorage', storage);
  vi.resetModules();
  person = await import('./person');
});

function leave(): void {
  kept
    .set('penstock-draft-image', '{}')
    .set('penstock-draft-text', '{}')
    .set('penstock-shown-image', 'an id');
  kept.set('penstock-theme', 'dark');
}

it('takes what somebody left when another one is here, and tells who has it in memory', () => {
  const forgotten = vi.fn();
  person.onForget(forgotten);
  person.isHere('ada');
  leave();
  person.isHere('ada');
  expect(kept.size).toBe(5);
  person.isHere('bob');
  expect([...kept.keys()].sort()).toEqual(['penstock-person', 'penstock-theme']);
  expect(forgotten).toHaveBeenCalledOnce();
});

it('knows after a reload who was here before', () => {
  leave();
  kept.set('penstock-person', 'ada');
  person.isHere('bob');
  expect([...kept.keys()].sort()).toEqual(['penstock-person', 'penstock-theme']);
});

it('takes what is left at a sign-out, and nothing of the device’s own', () => {
  person.isHere('ada');
  leave();
  person.forgetPerson();
  expect([...kept.keys()]).toEqual(['penstock-theme']);
});
