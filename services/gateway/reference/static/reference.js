"use strict";

// Swagger UI's own filter knows the names of tags alone.
const search = () => ({
  fn: {
    opsFilter: (tags, phrase) => {
      const words = phrase.toLowerCase().split(/\s+/);
      const found = (tag) => (entry) => {
        const { operationId, summary } = entry.get("operation").toJS();
        const text = [tag, entry.get("method"), entry.get("path"), operationId, summary].join(" ").toLowerCase();
        return words.every((word) => text.includes(word));
      };
      return tags
        .map((group, tag) => group.update("operations", (all) => all.filter(found(tag))))
        .filter((group) => group.get("operations").size > 0);
    },
  },
});

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true, // #/tag/operation, so that one can point at an operation
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  defaultModelExpandDepth: 2, // shows what is said about each field
  displayRequestDuration: true,
  filter: true,
  plugins: [search],
  onComplete: () => {
    const input = document.querySelector(".operation-filter-input");
    input.placeholder = "Find an operation: chat, stop, POST tokenize";
    input.setAttribute("aria-label", "Find an operation");
  },
  validatorUrl: null, // or the document's address goes to a service on the internet
});
