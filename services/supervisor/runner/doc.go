// Package runner leads one model server through its life: a goroutine feeds package unit with what happened, and carries out what
// follows from it.
//
//	runner.go   Runner: what others can have it do
//	driver.go   what it works with
//	loop.go     the goroutine
//	admit.go    how a start waits until it may begin
//	latest.go   a mailbox for one
//	launch.go   how it begins, and how a server that runs already is found
package runner
