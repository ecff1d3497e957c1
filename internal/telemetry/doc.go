// Package telemetry sets up what every service needs to be watched: a zap logger, a buffer before its output, and a Prometheus
// registry of its own.
package telemetry
