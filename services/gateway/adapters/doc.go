// Package adapters knows which adapters (LoRA) model servers have, by asking them. They can be loaded and unloaded at any time, and nobody
// else tells.
package adapters
