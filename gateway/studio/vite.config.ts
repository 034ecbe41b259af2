import { join } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { compressed, standalone } from './build';

const GATEWAY = process.env.PENSTOCK_URL ?? 'http://127.0.0.1:8080';
const alias = { '@': join(import.meta.dirname, 'src') };

export default defineConfig({
  base: './',
  plugins: [react(), standalone(alias), compressed()],
  resolve: { alias },
  build: {
    outDir: '../static',
    emptyOutDir: true,
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
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
