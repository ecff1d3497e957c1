// Package text knows what a mock model reads and writes: a reversible tokenizer without a vocabulary, the chat template,
// the answer, and how an answer is cut into deltas by budgets, end tokens and stop strings.
package text
