// Package process is the driver for model servers that are child processes.
//
// Each one leads a process group of its own, which is ended as a whole: SIGTERM, a grace, SIGKILL. vLLM starts several processes
// and leaves them, with their GPU memory, behind when only the first is killed.
//
// A supervisor that is killed itself cannot end anything. So a guard, a second process that only holds the other end of a pipe,
// is told of each group; when the pipe closes it ends the groups that are left, the last of them GuardGrace later.
package process
