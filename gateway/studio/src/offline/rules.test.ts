import { expect, it } from 'vitest';
import { wayOf } from './rules';

const ID = '01a22ca5-c28a-71bf-9cea-d55fc82614dc';

function way(path: string, method = 'GET', isNavigation = false) {
  return wayOf({ method, url: new URL(path, 'https://media.example'), isNavigation }, '/tools');
}

it('keeps the shell, small pictures and first pages, below any path', () => {
  expect(way('/tools/studio', 'GET', true)).toBe('page');
  expect(way('/tools/studio/gallery?kind=image', 'GET', true)).toBe('page');
  expect(way('/tools/studio/assets/index-abc.js')).toBe('asset');
  expect(way(`/tools/api/v1/assets/${ID}/thumbnail`)).toBe('thumbnail');
  expect(way(`/tools/api/v1/generations/${ID}/outputs/0?w=320`)).toBe('thumbnail');
  expect(way('/tools/api/v1/assets?sort=newest')).toBe('answer');
  expect(way('/tools/api/auth/logout', 'POST')).toBe('end');
});

it('leaves alone what is large, secret, later, changed or elsewhere', () => {
  for (const path of [
    `/tools/api/v1/generations/${ID}/outputs/0`,
    `/tools/api/v1/generations/${ID}/outputs/0?w=1920`,
    '/tools/api/v1/keys',
    '/tools/api/v1/assets?after=abc',
    '/tools/api/v1/assets?q=fog',
    '/tools/studio/embed.js',
    '/tools/studio/forget',
    '/studio/assets/index-abc.js',
  ]) {
    expect(way(path), path).toBe('pass');
  }
  expect(way('/tools/api/v1/assets', 'POST')).toBe('pass');
  expect(way('/tools/docs', 'GET', true)).toBe('pass');
});
