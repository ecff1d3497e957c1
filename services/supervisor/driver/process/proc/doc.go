// Package proc tells which processes and which listening sockets this machine has, as /proc shows them on Linux. Elsewhere it knows
// nothing: tables are empty and nobody is found.
//
// The number of a process is given away again soon after its end. So a process is named by its number and the time of its start,
// and only one that has both is meant; boot.go tells whether such times can be compared.
package proc
