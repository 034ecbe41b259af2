const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const KEYWORD = 'penstock';
const LENGTH_AND_TYPE = 8;
const CHECKSUM = 4;

/** What a PNG of ours says under our keyword; null when it says nothing, and for every other file. */
export async function wordsIn(file: Blob): Promise<string | null> {
  const start = new Uint8Array(await file.slice(0, SIGNATURE.length).arrayBuffer());
  if (!SIGNATURE.every((byte, n) => start[n] === byte)) return null;
  for (let at = SIGNATURE.length; at + LENGTH_AND_TYPE <= file.size; ) {
    const head = new DataView(await file.slice(at, at + LENGTH_AND_TYPE).arrayBuffer());
    const type = ascii(new Uint8Array(head.buffer, 4));
    const length = head.getUint32(0);
    at += LENGTH_AND_TYPE;
    if (type === 'IDAT') return null;
    if (type === 'iTXt') {
      const words = await textOf(new Uint8Array(await file.slice(at, at + length).arrayBuffer()));
      if (words !== null) return words;
    }
    at += length + CHECKSUM;
  }
  return null;
}

/** keyword 0, compressed?, method, language 0, keyword in that language 0, text. */
async function textOf(data: Uint8Array<ArrayBuffer>): Promise<string | null> {
  const keyword = data.indexOf(0);
  if (keyword < 0 || ascii(data.subarray(0, keyword)) !== KEYWORD) return null;
  const language = data.indexOf(0, keyword + 3);
  const text = data.subarray(data.indexOf(0, language + 1) + 1);
  if (data[keyword + 1] === 0) return new TextDecoder().decode(text);
  const plain = new Blob([text]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(plain).text().catch(() => null);
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 80));
}
