// Package modelsfile is the models file while the supervisor runs: which version of it is in force, and how another one comes
// to be, because its text changed, somebody asked for that, or somebody said over HTTP what the file does not.
package modelsfile
