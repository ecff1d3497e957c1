// Package argv is the command line of a model server, as vLLM's own parser reads it, with what of it people may see.
package argv
