'use strict';

/**
 * Builds the page that the API serves at /docs: Swagger UI and the problem types of
 * docs/errors.md in one file that loads nothing but the API's own openapi.json.
 *
 * Writes src/orders/openapi/docs_page.json, which is never committed: it holds other people's
 * code. The page is there as base64 of gzip, as Lambda returns it, with its entity tag and the
 * Content-Security-Policy that admits its scripts and styles, by their hashes, and no others.
 */

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { marked } = require('marked');

const ROOT = path.resolve(__dirname, '..');
const VIEWER = path.dirname(require.resolve('swagger-ui-dist/package.json'));
const OUTPUT = path.join(ROOT, 'src', 'orders', 'openapi', 'docs_page.json');

const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8').replace(/\r\n?/g, '\n');
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('base64');

/** Inside of a script element `<!--` and `</script` would be taken for HTML. */
const forScriptElement = (code) =>
  code.replaceAll('<!--', '\\x3C!--').replace(/<(?=\/?script)/gi, '\\x3C');

/** The headings below the first are the problem types, each with its name as its anchor. */
function problemTypes(markdown) {
  const [introduction, ...sections] = markdown.split(/^## /m);
  const slugs = sections.map((section) => section.split('\n', 1)[0]);
  const names = slugs.map((slug) => `<li><a href="#${slug}">${slug}</a></li>`);
  const articles = slugs.map((slug, index) => {
    const text = marked.parse(sections[index].slice(slug.length));
    return `<article id="${slug}"><h3><a href="#${slug}">${slug}</a></h3>${text}</article>`;
  });
  return `${marked.parse(introduction.replace(/^# .*\n/, ''))}
<ul class="names">${names.join('')}</ul>
${articles.join('\n')}`;
}

function build() {
  const { version } = require('swagger-ui-dist/package.json');
  const scripts = [
    read(VIEWER, 'swagger-ui-bundle.js'),
    read(__dirname, 'docs_page', 'start.js'),
  ].map(forScriptElement);
  const styles = [read(VIEWER, 'swagger-ui.css'), read(__dirname, 'docs_page', 'style.css')];
  const notice = `Shows the API with Swagger UI ${version}, under the Apache License 2.0.
${read(VIEWER, 'NOTICE')}
${read(VIEWER, 'swagger-ui-bundle.js.LICENSE.txt')}`;
  const parts = {
    notice: `<!--\n${notice.replaceAll('-->', '-- >')}\n-->`,
    styles: styles.map((style) => `<style>${style}</style>`).join('\n'),
    problemTypes: problemTypes(read(ROOT, 'docs', 'errors.md')),
    scripts: scripts.map((script) => `<script>${script}</script>`).join('\n'),
  };
  const page = read(__dirname, 'docs_page', 'page.html').replace(
    /\{\{(\w+)\}\}/g,
    (_, name) => parts[name]
  );
  const hashes = (texts) => texts.map((text) => `'sha256-${sha256(text)}'`).join(' ');
  return {
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src ${hashes(scripts)}`,
      `style-src ${hashes(styles)}`,
      'img-src data:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    etag: `"${sha256(page)}"`,
    gzip: zlib.gzipSync(page, { level: 9 }).toString('base64'),
  };
}

// Whole or not at all: another build may be copying it just now.
const fresh = path.join(ROOT, 'build', `docs_page.${process.pid}.json`);
fs.mkdirSync(path.dirname(fresh), { recursive: true });
fs.writeFileSync(fresh, JSON.stringify(build()));
fs.renameSync(fresh, OUTPUT);
