package pydantic

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// node is one validator. validate gives the converted value; false means that the run has a new fault or was raised out of.
type node interface {
	validate(r *Run, in any) (any, bool)
	label() string // pydantic's name for it, which shows up in the places of faults in unions
}

// exactness is how near to the declared type an input was, which decides between the members of a union.
type exactness int8

const (
	lax exactness = iota
	strict
	exact
)

// none is the number of fields set where no model was involved.
const none = -1

// Run is one validation.
type Run struct {
	collect bool // faults are wanted; else the first one ends it, and nobody will look at it
	faults  []fault.Fault
	count   int            // of faults, of which only the first are kept
	keep    int            // how many
	raised  *refusal.Error // an exception that no validator catches

	exactness exactness
	fieldsSet int
}

func (r *Run) floor(e exactness) { r.exactness = min(r.exactness, e) }

func (r *Run) addFieldsSet(n int) { r.fieldsSet = max(r.fieldsSet, 0) + n }

// fail reports a fault at this very place.
func (r *Run) fail(k fault.Kind, in any, ctx ...pyjson.Member) (any, bool) {
	if r.collect {
		r.add(fault.Fault{Kind: k, Input: in, Ctx: ctx})
	}
	return nil, false
}

func (r *Run) add(f fault.Fault) {
	if r.count < r.keep {
		r.faults = append(r.faults, f)
	}
	r.count++
}

// forget takes back the faults from the given number on.
func (r *Run) forget(count int) {
	r.faults, r.count = r.faults[:min(count, len(r.faults))], count
}

// under puts a segment before the places of the faults from the given one on.
func under[S string | int](r *Run, from int, segment S) {
	for i := from; i < len(r.faults); i++ {
		r.faults[i].Loc = append(r.faults[i].Loc, segment)
	}
}

// over tells whether a failure is the end: nobody collects, or an exception is on its way.
func (r *Run) over() bool { return !r.collect || r.raised != nil }

// Raise ends the run with an exception.
func (r *Run) Raise(e *refusal.Error) (any, bool) {
	r.raised = e
	return nil, false
}
