// Package loading takes the time that a model server needs before it listens, and prints meanwhile what vLLM 0.32 prints on a GPU: people
// and programs read from it how far it is.
package loading
