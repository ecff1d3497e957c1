// Command fluidmcp runs vLLM models behind one OpenAI-compatible address, without a GPU if need be.
//
// It embeds the three services: `run` starts supervisor and gateway in this process and the models as child processes;
// the hidden commands `mockvllm` and `guard` are what the binary becomes when it executes itself.
package main
