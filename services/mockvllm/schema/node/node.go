package node

import (
	"github.com/fluidmcp/fluidmcp/services/mockvllm/pyjson"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/fault"
	"github.com/fluidmcp/fluidmcp/services/mockvllm/schema/refusal"
)

// Node is one validator. Validate gives the converted value; false means that the run has a new fault or was raised out of.
type Node interface {
	Validate(r *Run, in any) (any, bool)
	Label() string // pydantic's name for it, which shows up in the places of faults in unions
}

// Exactness is how near to the declared type an input was, which decides between the members of a union.
type Exactness int8

// How near an input can be.
const (
	Lax Exactness = iota
	Strict
	Exact
)

// None is the number of fields set where no model was involved.
const None = -1

// Run is one validation.
type Run struct {
	Collect bool // faults are wanted; else the first one ends it, and nobody will look at it
	Faults  []fault.Fault
	Count   int            // of faults, of which only the first are kept
	Keep    int            // how many
	Raised  *refusal.Error // an exception that no validator catches
	Plain   bool           // not by FastAPI, which takes any object with attributes for a model

	Exactness Exactness
	FieldsSet int
}

// Floor notes that an input was no nearer to its type.
func (r *Run) Floor(e Exactness) { r.Exactness = min(r.Exactness, e) }

// AddFieldsSet counts fields of a model that were given.
func (r *Run) AddFieldsSet(n int) { r.FieldsSet = max(r.FieldsSet, 0) + n }

// Fail reports a fault at this very place.
func (r *Run) Fail(k fault.Kind, in any, ctx ...pyjson.Member) (any, bool) {
	if r.Collect {
		r.Add(fault.Fault{Kind: k, Input: in, Ctx: ctx})
	}
	return nil, false
}

// Add keeps a fault, if there are not too many.
func (r *Run) Add(f fault.Fault) {
	if r.Count < r.Keep {
		r.Faults = append(r.Faults, f)
	}
	r.Count++
}

// Forget takes back the faults from the given number on.
func (r *Run) Forget(count int) {
	r.Faults, r.Count = r.Faults[:min(count, len(r.Faults))], count
}

// Under puts a segment before the places of the faults from the given one on.
func Under[S string | int](r *Run, from int, segment S) {
	for i := from; i < len(r.Faults); i++ {
		r.Faults[i].Loc = append(r.Faults[i].Loc, segment)
	}
}

// Over tells whether a failure is the end: nobody collects, or an exception is on its way.
func (r *Run) Over() bool { return !r.Collect || r.Raised != nil }

// Raise ends the run with an exception.
func (r *Run) Raise(e *refusal.Error) (any, bool) {
	r.Raised = e
	return nil, false
}

// FailValue reports a ValueError of a function's.
func (r *Run) FailValue(in any, msg string) (any, bool) {
	return r.Fail(fault.ValueError(msg), in, pyjson.Member{Key: "error", Value: fault.Raw("ValueError(" + pyjson.Repr(msg) + ")")})
}
