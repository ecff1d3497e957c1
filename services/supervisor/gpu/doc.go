// Package gpu lets model servers start on a GPU only when the memory that they will take is free, as nvidia-smi tells, and tells when one
// that has ended has given its memory back.
//
// vLLM looks at the free memory once, when it starts, and ends when it is less than its share. The memory of a server that has just
// ended may not be free yet; and while one measures what it needs, another that takes or gives back memory on the same GPU makes it
// fail ("Error in memory profiling"). So starts on one GPU come one after another, and each waits for its memory.
//
// Where there is no nvidia-smi nothing waits.
package gpu
