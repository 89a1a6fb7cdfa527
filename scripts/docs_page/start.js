'use strict';

/** The viewer pushes what is below it down: go again to where the address points. */
function goToAnchor() {
  const name = location.hash.slice(1);
  const target = name.startsWith('/') ? null : document.getElementById(name);
  if (target) target.scrollIntoView();
}

SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#viewer',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  onComplete: () => requestAnimationFrame(goToAnchor),
  validatorUrl: null, // it would ask a host elsewhere
});
