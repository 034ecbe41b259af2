import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { ahead } from './ahead';
import { compressed, standalone } from './build';

const GATEWAY = process.env.PENSTOCK_URL ?? 'http://127.0.0.1:8080';

/** What runs before the application is there. */
const START =
  /src\/(start|api\/(address|early)|features\/library\/(early|rows|pictures))\.ts$|library\/(Grid|Tile|TilesLoading)\.module\.css|vite\/preload-helper|rolldown\/runtime/;

/**
 * Each request costs a phone a round trip, so what belongs together comes in one file: the frame with its libraries,
 * what several views share, and each view that people arrive at. What none of the first views has, such as
 * tables, comes apart from them.
 */
const CHUNKS = [
  { name: 'start', test: START, priority: 5 },
  { name: 'engine', test: /src\/engine\.ts$|node_modules\/(react|react-dom|scheduler)\//, priority: 5 },
  { name: 'frame', test: /src\/main\.tsx$/, priority: 4 },
  { name: 'charts', test: /uplot|ui\/charts\//i, priority: 3 },
  { name: 'tables', test: /src\/ui\/Table/, priority: 3 },
  { name: 'lists', test: /@tanstack\/(react-)?virtual/, priority: 3 },
  {
    name: 'parts',
    test: /src\/(app|ui|api|features\/(create|players|watch))\/|(library\/(deeds|assetCache)|compare\/comparing)\.ts|node_modules\//,
    minShareCount: 2,
    priority: 2,
  },
  { name: 'create', test: /features\/create\/CreateView\.tsx$/, priority: 1 },
  { name: 'library', test: /features\/library\/(Gallery|Favourites|Trash)View\.tsx$/, priority: 1 },
  { name: 'ops', test: /features\/ops\/(Gate|\w+View)\.tsx$/, priority: 1 },
];
const alias = { '@': join(import.meta.dirname, 'src') };

export default defineConfig({
  base: './',
  plugins: [react(), ahead(alias), standalone(alias), compressed()],
  resolve: { alias },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: { groups: CHUNKS } } },
  },
  server: {
    proxy: {
      '/api': { target: GATEWAY, ws: true },
      '/cdn': GATEWAY,
      '/docs': GATEWAY,
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
