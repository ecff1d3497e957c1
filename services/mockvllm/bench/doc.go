// Package bench measures what a mock costs: `make bench-mock`. The mock runs as a process of its own, whose processor time and
// memory the system tells, beside a bare net/http server that answers with the same bytes; for BenchmarkMemory it runs in this one.
package bench
