import { expect, it } from 'vitest';
import { matches, type Pressed, printed } from './chord';

function press(key: string, held: Partial<Pressed> = {}): Pressed {
  return { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

it('tells letters with Shift from those without', () => {
  expect(matches('r', press('r'))).toBe(true);
  expect(matches('r', press('R', { shiftKey: true }))).toBe(false);
  expect(matches('Shift+R', press('R', { shiftKey: true }))).toBe(true);
});

it('takes signs wherever the keyboard has them', () => {
  expect(matches('?', press('?', { shiftKey: true }))).toBe(true);
  expect(matches('/', press('/', { shiftKey: true }))).toBe(true);
  expect(matches('+', press('+', { shiftKey: true }))).toBe(true);
});

it('leaves the browser its own', () => {
  expect(matches('p', press('p', { ctrlKey: true }))).toBe(false);
  expect(matches('Mod+Enter', press('Enter', { metaKey: true }))).toBe(true);
  expect(matches('ArrowLeft', press('ArrowLeft', { altKey: true }))).toBe(false);
});

it('prints them as keyboards do', () => {
  expect(printed('Mod+Enter', true)).toEqual(['⌘', 'Enter']);
  expect(printed('Shift+r', false)).toEqual(['Shift', 'R']);
  expect(printed('Mod++', false)).toEqual(['Ctrl', '+']);
});
