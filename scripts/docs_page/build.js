'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { marked } = require('marked');

const ROOT = path.resolve(__dirname, '..', '..');
const VIEWER = path.dirname(require.resolve('swagger-ui-dist/package.json'));

const read = (...parts) => fs.readFileSync(path.join(...parts), 'utf8').replace(/\r\n?/g, '\n');

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

/** The documentation page, for scripts/build_pages.js. */
exports.docsPage = () => {
  const { version } = require('swagger-ui-dist/package.json');
  const notice = `Shows the API with Swagger UI ${version}, under the Apache License 2.0.
${read(VIEWER, 'NOTICE')}
${read(VIEWER, 'swagger-ui-bundle.js.LICENSE.txt')}`;
  return {
    html: read(__dirname, 'page.html'),
    parts: {
      notice: `<!--\n${notice.replaceAll('-->', '-- >')}\n-->`,
      problemTypes: problemTypes(read(ROOT, 'docs', 'errors.md')),
    },
    styles: [read(VIEWER, 'swagger-ui.css'), read(__dirname, 'style.css')],
    scripts: [read(VIEWER, 'swagger-ui-bundle.js'), read(__dirname, 'start.js')],
  };
};
