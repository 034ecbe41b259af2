import { deflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { wordsIn } from './pngs';

const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);

function chunk(type: string, data: Uint8Array): Uint8Array[] {
  const head = new DataView(new ArrayBuffer(8));
  head.setUint32(0, data.length);
  for (const [n, letter] of [...type].entries()) head.setUint8(4 + n, letter.charCodeAt(0));
  return [new Uint8Array(head.buffer), data, new Uint8Array(4)];
}

function file(...chunks: Uint8Array[][]): Blob {
  return new Blob([SIGNATURE, ...chunk('IHDR', new Uint8Array(13)), ...chunks.flat()] as BlobPart[]);
}

function said(keyword: string, text: Uint8Array, compressed: 0 | 1): Uint8Array[] {
  const head = new TextEncoder().encode(keyword);
  return chunk('iTXt', Uint8Array.of(...head, 0, compressed, 0, 0, 0, ...text));
}

const WORDS = new TextEncoder().encode('{"kind":"image","prompt":"Füchse"}');

it('reads what our PNGs say of themselves, and nothing else', async () => {
  const ours = said('penstock', deflateSync(WORDS), 1);
  const end = chunk('IDAT', new Uint8Array(9));
  expect(await wordsIn(file(said('Comment', WORDS, 0), ours, end))).toContain('Füchse');
  expect(await wordsIn(file(said('penstock', WORDS, 0), end))).toContain('Füchse');
  expect(await wordsIn(file(end, ours))).toBeNull();
  expect(await wordsIn(file(said('penstock', WORDS, 1), end))).toBeNull();
  expect(await wordsIn(file(said('Comment', WORDS, 0)))).toBeNull();
  expect(await wordsIn(new Blob(['{"kind":"image"}']))).toBeNull();
});
