// Package refmodel runs the tiny model that the golden exchanges were recorded with, and gives the numbers that vLLM gave: bit for bit.
//
// A float32 sum depends on the order of its terms, and on which products are rounded before they are added. All of it
// follows what the CPU build of vLLM 0.32 does with AVX-512:
//
//	weights.go  the weights: numpy's normal numbers from one seed
//	rotary.go   cosines and sines of the positions: those of Intel's library, which are off by one bit here and there
//	float.go    the arithmetic: fused sums, sums in lanes, two approximations of the exponential function, one of the logarithm
//	attend.go   attention of one head
//	model.go    the layers, from token ids to hidden states and logits
//	sample.go    which token comes next: the likeliest, or one that follows from a seed, among all or the likely ones
//	vector.go   what is made of them: vectors of length 1, their cosine, log probabilities
//
// What else is in a batch, what was cached and where a prompt is cut do not change the numbers of a token. Those of tokens in long
// prompts, from position 1504 on, may differ from vLLM's in their last digit.
package refmodel
