// Package client sends one request to an OpenAI-compatible server and tells when each part of the answer came.
package client
