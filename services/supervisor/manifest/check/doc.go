// Package check finds the faults of a models file that only the whole of it shows.
//
//	check.go    ports, names, and models that name each other
//	shares.go   GPUs of which more is promised than there is
package check
