// Package dockerproxy stands between the supervisor and a Docker engine, whose socket is root on its machine. It lets through what it
// takes to run model servers in containers that exist, for containers that their owner has marked for that, and nothing else.
//
//	request ──► request.go   one of eight calls, its path and query letter by letter; no body, no upgrade
//	            proxy.go     the container has to be one of ours, else there is none
//	            answer.go    the call, made anew by package engine; of the answer what the supervisor needs
//
// Nothing that a client sends reaches the engine: a call is understood here and then made by the proxy itself. What is not on the list
// cannot be reached by any spelling of it.
package dockerproxy
