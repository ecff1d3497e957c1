// Package keyfile makes, checks and revokes API keys of the gateway: `fluidmcp keys`.
package keyfile
