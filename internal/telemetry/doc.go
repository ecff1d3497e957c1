// Package telemetry sets up what every service needs to be watched: a zap logger and a Prometheus registry of its own.
package telemetry
