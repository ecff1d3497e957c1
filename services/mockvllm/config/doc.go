// Package config is what a server is told: vLLM's command line and environment, and the settings that only a mock has.
//
//	read.go                              Read merges defaults, environment and flags, the later ones winning
//	config.go                            Config, Default
//	validate.go                          what is wrong with one
//	derived.go                           what it means for the engine, and as fault rules
//	flags.go, flagtable.go, setters.go   the command line: which option sets what
//	environment.go                       vLLM's variables
package config
