// Package statlog makes the line that vLLM logs about its engine every ten seconds, by the rules of LoggingStatLogger
// (vllm/v1/metrics/loggers.py): what came to pass since the line before, and how the engine stands after its last step.
package statlog
