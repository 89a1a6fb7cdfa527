'use strict';

/** Bundles each test into build/desk-tests, for node's test runner, which reads no TypeScript. */

const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');

const OUTPUT = path.join(__dirname, '..', '..', 'build', 'desk-tests');

fs.rmSync(OUTPUT, { recursive: true, force: true });
esbuild.buildSync({
  entryPoints: fs
    .readdirSync(__dirname)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => path.join(__dirname, file)),
  outdir: OUTPUT,
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  tsconfig: path.join(__dirname, '..', 'tsconfig.json'),
});
