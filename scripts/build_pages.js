'use strict';

/**
 * Builds the pages that the API serves into src/orders/pages, each in one file that loads nothing
 * but the API's own responses: `docs`, Swagger UI with the problem types of docs/errors.md, and
 * `desk`, where staff work on orders.
 *
 * The built pages are never committed: they hold other people's code. A page is there as base64 of
 * gzip, as Lambda returns it, with its entity tag and the Content-Security-Policy that admits its
 * scripts and styles, by their hashes, and no others.
 */

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');
const { deskPage } = require('../desk/build');
const { docsPage } = require('./docs_page/build');

const OUTPUT = path.resolve(__dirname, '..', 'src', 'orders', 'pages');

const sha256 = (text) => crypto.createHash('sha256').update(text).digest('base64');
const hashes = (texts) => texts.map((text) => `'sha256-${sha256(text)}'`).join(' ');

/** Inside of a script element `<!--` and `</script` would be taken for HTML. */
const forScriptElement = (code) =>
  code.replaceAll('<!--', '\\x3C!--').replace(/<(?=\/?script)/gi, '\\x3C');

/** `html` has `{{name}}` where `parts` has the HTML of that name, and for `styles` and `scripts`. */
function page({ html, parts, styles, scripts, policy = [] }) {
  const safe = scripts.map(forScriptElement);
  const elements = {
    ...parts,
    styles: styles.map((style) => `<style>${style}</style>`).join('\n'),
    scripts: safe.map((script) => `<script>${script}</script>`).join('\n'),
  };
  const whole = html.replace(/\{\{(\w+)\}\}/g, (_, name) => elements[name]);
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src ${hashes(safe)}`,
    `style-src ${hashes(styles)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...policy,
  ].join('; ');
  return {
    contentSecurityPolicy,
    // Who is told that it is the same page keeps the policy too.
    etag: `"${sha256(contentSecurityPolicy + whole)}"`,
    gzip: zlib.gzipSync(whole, { level: 9 }).toString('base64'),
  };
}

fs.mkdirSync(OUTPUT, { recursive: true });
for (const [name, content] of Object.entries({ docs: docsPage(), desk: deskPage() })) {
  // Whole or not at all: another build may be copying it just now.
  const fresh = path.join(OUTPUT, `.${name}.${process.pid}`);
  fs.writeFileSync(fresh, JSON.stringify(page(content)));
  fs.renameSync(fresh, path.join(OUTPUT, `${name}.json`));
}
