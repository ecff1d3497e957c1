// Package reference serves the API reference: the document as JSON, and a page that shows it and sends requests. All of the page
// comes from this program, so it works without a network, and it runs under a policy that allows nothing else.
package reference
