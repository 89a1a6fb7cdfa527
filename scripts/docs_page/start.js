'use strict';

/** The viewer pushes what is below it down: go again to where the address points. */
function goToAnchor() {
  const target = document.getElementById(location.hash.slice(1));
  if (target) target.scrollIntoView();
}

SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#viewer',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  onComplete: () => requestAnimationFrame(goToAnchor),
  validatorUrl: null, // it would ask a host elsewhere
});
