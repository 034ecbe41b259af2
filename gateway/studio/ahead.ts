import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import react from '@vitejs/plugin-react';
import { build, type Plugin, type ResolvedConfig, type Rolldown } from 'vite';
import { folderOf } from './build';
import type { Ahead } from './src/ahead/pages';

type Bundle = Rolldown.OutputBundle;
type Renderer = { PAGES: readonly Ahead[]; render: (path: string) => Promise<string> };

/**
 * Renders the addresses that people arrive at when the studio is built, as `pages/<address>.html`: the frame and the
 * view's first state are painted before any script is there, and its files and answers are on their way meanwhile.
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
      const source = await looks(config, alias);
      this.emitFile({ type: 'asset', name: 'looks.js', source });
    },
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle = {} }) => {
        const name = Object.keys(bundle).find((one) => one.startsWith('assets/looks-'));
        return [{ tag: 'script', attrs: { src: `./${name}` }, injectTo: 'head' }];
      },
    },
    async writeBundle(_, bundle) {
      const folder = folderOf(config);
      const empty = await readFile(join(folder, 'index.html'), 'utf8');
      const { PAGES, render } = await renderer(config, alias);
      for (const page of PAGES) {
        const content = filled(empty, await render(page.paths[0]), linksOf(page, bundle, empty));
        for (const path of page.paths) await put(join(folder, 'pages', `${path}.html`), content);
      }
    },
  };
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
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
  const [{ output }] = built as Rolldown.RolldownOutput[];
  return output[0].code;
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

/** Links are written below the page's base, `…/studio/`, for one build works below any path. */
function filled(page: string, markup: string, links: string): string {
  return page
    .replaceAll('<script type="module"', '<script type="module" fetchpriority="low"')
    .replace('</head>', () => `${links}</head>`)
    .replace('<div id="root">', () => `<div id="root" inert>${markup.replaceAll('href="/', 'href="../')}`);
}

/** What a page needs that is not in it for every page. */
function linksOf({ view, calls = [] }: Ahead, bundle: Bundle, empty: string): string {
  const chunks = withImports(chunkOf(view, bundle), bundle);
  const styles = new Set(chunks.flatMap((chunk) => [...(chunk.viteMetadata?.importedCss ?? [])]));
  const lacking = (name: string) => !empty.includes(name);
  return [
    ...[...styles].filter(lacking).map((name) => `<link rel="stylesheet" crossorigin href="./${name}">`),
    ...chunks
      .map((chunk) => chunk.fileName)
      .filter(lacking)
      .map((name) => `<link rel="modulepreload" crossorigin fetchpriority="low" href="./${name}">`),
    ...calls.map((path) => `<link rel="preload" as="fetch" crossorigin href="..${path}">`),
  ].join('\n');
}

function chunkOf(view: string, bundle: Bundle): Rolldown.OutputChunk {
  const file = `/src/features/${view}`;
  for (const part of Object.values(bundle)) {
    if (part.type === 'chunk' && part.moduleIds.some((id) => id.endsWith(file))) return part;
  }
  throw new Error(`No chunk has ${view}`);
}

/** What a chunk imports comes before it, as its styles do. */
function withImports(chunk: Rolldown.OutputChunk, bundle: Bundle, seen = new Set<string>()): Rolldown.OutputChunk[] {
  if (seen.has(chunk.fileName)) return [];
  seen.add(chunk.fileName);
  const imported = chunk.imports.flatMap((name) => {
    const part = bundle[name];
    return part?.type === 'chunk' ? withImports(part, bundle, seen) : [];
  });
  return [...imported, chunk];
}
