// Package text knows what a mock model reads and writes: a reversible tokenizer without a vocabulary, the chat template,
// the answer, which tools it calls and how calls are written into it, and how it is cut into deltas by budgets, end
// tokens and stop strings.
package text
