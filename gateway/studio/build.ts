import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build, type Plugin, type ResolvedConfig } from 'vite';

const TEXT = /\.(css|js|json|svg|webmanifest)$/;
const WORTHWHILE_BYTES = 512;
const PAGE = 'index.html';

/**
 * Beside the application the build makes two scripts under names that stay: what other pages embed, and the
 * service worker, which is told what the shell consists of.
 */
export function standalone(alias: Record<string, string>): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'standalone',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async writeBundle(_, bundle) {
      const folder = folderOf(config);
      const files = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
      const page = await readFile(join(folder, PAGE));
      const version = createHash('sha256').update(page).update(files.join()).digest('hex').slice(0, 12);
      const shell = { version, files: [...files, 'icon.svg', 'manifest.webmanifest'] };
      await script(folder, alias, join(config.root, 'src/embed/embed.ts'), 'embed.js');
      await script(folder, alias, join(config.root, 'src/offline/worker.ts'), 'sw.js', {
        SHELL: JSON.stringify(shell),
      });
    },
  };
}

async function script(
  folder: string,
  alias: Record<string, string>,
  entry: string,
  name: string,
  define: Record<string, string> = {},
): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias },
    define,
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2023',
      reportCompressedSize: false,
      lib: { entry, formats: ['iife'], name: 'penstock', fileName: () => name },
    },
  });
}

/** Writes a Brotli and a gzip twin beside each text file; the gateway sends what the browser takes. */
export function compressed(): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async closeBundle() {
      const folder = folderOf(config);
      const names = await readdir(folder, { recursive: true });
      await Promise.all(names.filter((name) => TEXT.test(name)).map((name) => twins(join(folder, name))));
    },
  };
}

export function folderOf({ root, build: { outDir } }: ResolvedConfig): string {
  return isAbsolute(outDir) ? outDir : join(root, outDir);
}

async function twins(path: string): Promise<void> {
  const content = await readFile(path);
  if (content.length < WORTHWHILE_BYTES) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(content, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
}
