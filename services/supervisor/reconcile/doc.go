// Package reconcile brings what runs in line with another version of the models file: models come and go, servers whose command
// has changed are replaced one after another, and those that are no longer wanted are drained.
package reconcile
