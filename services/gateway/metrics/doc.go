// Package metrics is what the gateway tells Prometheus. What happens is counted as requests pass (metrics.go; series.go keeps what a
// label leads to, so that the registry is not searched each time); what is, is looked up where it is true when somebody asks
// (state.go). Labels come from closed sets: the models that are declared, and Unknown for all other names.
package metrics
