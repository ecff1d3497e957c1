// Package result collects samples into figures: distributions of every latency, rates, failures by kind, and how all of
// that went over time. Failures count, and stay out of the latencies.
package result
