"use strict";

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true, // #/tag/operation, so that one can point at an operation
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  validatorUrl: null, // or the document's address goes to a service on the internet
});
