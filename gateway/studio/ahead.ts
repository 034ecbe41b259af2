import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import react from '@vitejs/plugin-react';
import { build, type Plugin, type ResolvedConfig, type Rolldown } from 'vite';
import { folderOf } from './build';
import type { Ahead } from './src/ahead/pages';

type Bundle = Rolldown.OutputBundle;
type Chunk = Rolldown.OutputChunk;

interface Renderer {
  PAGES: readonly Ahead[];
  render: (path: string) => Promise<string>;
}

/**
 * Renders the addresses that people arrive at when the studio is built, as `pages/<address>.html`: the frame and
 * what its view shows first are painted before any script is there, and the view's files and answers are on their
 * way meanwhile.
 */
export function ahead(alias: Record<string, string>): Plugin {
  let config: ResolvedConfig;
  return {
    name: 'ahead',
    apply: 'build',
    configResolved(resolved) {
      config = resolved;
    },
    async buildStart() {
      this.emitFile({ type: 'asset', name: 'looks.js', source: await looks(config, alias) });
    },
    transformIndexHtml: {
      order: 'post',
      handler: (page, { bundle = {} }) => {
        const script = Object.keys(bundle).find((name) => name.startsWith('assets/looks-'));
        return headed(page, [`<script src="./${script}"></script>`, ...scripts('main.tsx', bundle, page)]);
      },
    },
    async writeBundle(_, bundle) {
      const folder = folderOf(config);
      const empty = await readFile(join(folder, 'index.html'), 'utf8');
      const { PAGES, render } = await renderer(config, alias);
      for (const { paths, view, calls, hasPictures } of PAGES) {
        const links = scripts(`features/${view}`, bundle, empty);
        const whole = asking(headed(empty, links), calls);
        const page = filled(hasPictures ? picturesFirst(whole, bundle) : whole, await render(paths[0]));
        for (const path of paths) await put(join(folder, 'pages', `${path}.html`), page);
      }
    },
  };
}

/** The script that runs before the first paint. */
async function looks({ root }: ResolvedConfig, alias: Record<string, string>): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    resolve: { alias },
    build: {
      write: false,
      target: 'es2023',
      lib: { entry: join(root, 'src/ahead/looks.ts'), formats: ['iife'], name: 'looks' },
    },
  });
  const [script] = built as Rolldown.RolldownOutput[];
  if (!script) throw new Error('Vite made no looks.js');
  return script.output[0].code;
}

/** The application as a module of Node's, beside the packages that it imports. */
async function renderer({ root }: ResolvedConfig, alias: Record<string, string>): Promise<Renderer> {
  const outDir = join(root, 'node_modules/.ahead');
  await build({
    configFile: false,
    logLevel: 'error',
    root,
    plugins: [react()],
    publicDir: false,
    resolve: { alias },
    build: { ssr: join(root, 'src/ahead/render.tsx'), outDir, emptyOutDir: true },
  });
  return import(pathToFileURL(join(outDir, 'render.js')).href);
}

/** Addresses are written below the page's base, `…/studio/`, for one build works below any path. */
function filled(page: string, markup: string): string {
  const below = markup.replaceAll('href="/', 'href="../');
  return page
    .replace('<script type="module"', '<script type="module" fetchpriority="low"')
    .replace('<div id="root">', () => `<div id="root" inert aria-hidden="true">${below}`);
}

function headed(page: string, links: readonly string[]): string {
  return page.replace('</head>', () => `${links.join('\n')}\n</head>`);
}

/** The scripts of a source that a page does not name yet. They wait for what is painted without them. */
function scripts(source: string, bundle: Bundle, page: string): string[] {
  return withImports(chunkOf(source, bundle), bundle)
    .map((chunk) => chunk.fileName)
    .filter((name) => !page.includes(name))
    .map((name) => `<link rel="modulepreload" fetchpriority="low" crossorigin href="./${name}">`);
}

/** What the view shows is asked for before the scripts that show it: they take longer, and need it at once. */
function asking(page: string, calls: readonly string[]): string {
  const links = calls.map((call) => `<link rel="preload" as="fetch" crossorigin href="..${call}">\n`);
  return page.replace('<link rel="modulepreload"', (first) => links.join('') + first);
}

/**
 * What draws may come beside the pictures, for a phone's line would be idle until it is known which; the other scripts
 * wait in a template, and `start` lets them go.
 */
function picturesFirst(page: string, bundle: Bundle): string {
  const early = withImports(chunkOf('engine.ts', bundle), bundle);
  const later: string[] = [];
  const rest = page.replace(/<link rel="modulepreload".*>\n/g, (link) => {
    if (early.some(({ fileName }) => link.includes(fileName))) return link;
    later.push(link);
    return '';
  });
  return headed(rest, [`<template id="later">${later.join('')}</template>`]);
}

function chunkOf(source: string, bundle: Bundle): Chunk {
  for (const part of Object.values(bundle)) {
    if (part.type === 'chunk' && part.moduleIds.some((id) => id.endsWith(`/src/${source}`))) return part;
  }
  throw new Error(`No script has ${source}`);
}

/** What a chunk imports comes before it. */
function withImports(chunk: Chunk, bundle: Bundle, seen = new Set<string>()): Chunk[] {
  if (seen.has(chunk.fileName)) return [];
  seen.add(chunk.fileName);
  const imported = chunk.imports.flatMap((name) => {
    const part = bundle[name];
    return part?.type === 'chunk' ? withImports(part, bundle, seen) : [];
  });
  return [...imported, chunk];
}

async function put(path: string, page: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, page);
}
