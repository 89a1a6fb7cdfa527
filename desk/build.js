'use strict';

const fs = require('node:fs');
const path = require('node:path');
const esbuild = require('esbuild');

const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8').replace(/\r\n?/g, '\n');

/** The staff desk, for scripts/build_pages.js. */
exports.deskPage = () => {
  const libraries = new Set();
  const [script, style] = ['main.tsx', 'style.css'].map((file) => {
    const { outputFiles, metafile } = esbuild.buildSync({
      entryPoints: [path.join(__dirname, 'src', file)],
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'iife',
      target: 'es2022',
      legalComments: 'none',
      tsconfig: path.join(__dirname, 'tsconfig.json'),
    });
    for (const input of Object.keys(metafile.inputs)) {
      const [, library] = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? [];
      if (library) libraries.add(library);
    }
    return outputFiles[0].text;
  });
  const notices = [...libraries].sort().map((name) => {
    const folder = path.dirname(require.resolve(`${name}/package.json`));
    const { version } = require(`${name}/package.json`);
    const [file] = fs.readdirSync(folder).filter((one) => /^licen[cs]e/i.test(one));
    return `${name} ${version}\n\n${read(folder, file)}`;
  });
  return {
    html: read(__dirname, 'page.html'),
    parts: { notice: `<!--\n${notices.join('\n').replaceAll('-->', '-- >')}-->` },
    styles: [style],
    scripts: [script],
    policy: ["require-trusted-types-for 'script'", "trusted-types 'none'"],
  };
};
