// Package integration tests FluidMCP from the outside. One list of scenarios runs against each way of running it: the
// fluidmcp binary with its models as child processes, and the compose stack with its models as containers.
//
//	go test ./integration/...                              what can run here
//	FLUIDMCP_REQUIRE_DOCKER=1 go test ./integration/...    fails where no Docker engine answers
//	go test ./integration -run 'TestScenarios/binary'      one way only
//
// scenarios_test.go is the list; stack_test.go is what a scenario may use; binary_test.go and compose_test.go bring the
// two stacks up; the scenarios themselves lie in files named for what they are about. conform_test.go holds every exchange
// against docs/openapi.yaml, and schemathesis_test.go makes up requests by it.
//
// chaos_test.go puts proxies that misbehave between gateway and servers, and kills servers under load; chaos_traffic_test.go tells
// what a client may see of it. It needs no stack but its own, which chaos_stack_test.go starts.
//
// crash_test.go kills, hangs and starves every part of a stack of processes under load, and holds what clients saw against the table of
// docs/reliability.md.
//
// transparency_test.go asks every recorded question of a model server directly and through a gateway; differences_test.go is the
// whole list of what may differ.
//
// docs_test.go follows the guides of docs/ word by word; the package guide is the reader who does.
package integration
