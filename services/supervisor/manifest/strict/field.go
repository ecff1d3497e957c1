package strict

import "slices"

// Field describes a field of an object of the file. What reads the object takes names, words and bounds from here; a schema and
// a reference can take everything, so that they cannot disagree.
type Field struct {
	Name    string
	Type    Type
	Forms   []string // by which a model is given, those that may have it; nil: all
	Remote  bool     // it may be changed over HTTP, with all in it: it names no program, no address, no secret, and nothing of the machine
	Needed  bool     // has to be there when what holds it is there
	Demand  bool     // only of models with start: on_demand
	OneOf   bool     // of TypeObject: it has exactly one of its Fields
	Doc     string   // what it means
	Default any      // what its absence means, as the file would say it
	Absent  string   // the same in words, where the file could not say it
	Choices []string // of TypeChoice
	Min     int      // of TypeWhole, as Max
	Max     int
	Example any
	Fields  []Field // of TypeObject and of each item of TypeObjects
}

// Type is what a field takes. ${NAME} in a string is taken from the environment, except in a choice.
type Type string

// The types.
const (
	TypeText     Type = "string"
	TypeURL      Type = "URL"
	TypeChoice   Type = "one of"
	TypeYesNo    Type = "true or false"
	TypeWhole    Type = "whole number"
	TypePercent  Type = "percentage" // a number over 0, at most 100
	TypeDuration Type = "duration"   // a number of seconds, or a string such as "1m30s"
	TypeHeader   Type = "header name"
	TypeID       Type = "id"          // of a model
	TypeWords    Type = "list"        // of strings and numbers
	TypeIDs      Type = "list of ids" // of models
	TypeObject   Type = "object"
	TypeObjects  Type = "list of objects" // at least one
	TypeEnv      Type = "variables"       // an object of strings and numbers by the name of an environment variable
	TypeFlags    Type = "flags"           // an object of vLLM's flags and their values
)

// Allowed tells whether a model that is given by another field may have this one.
func (f Field) Allowed(by string) bool { return f.Forms == nil || slices.Contains(f.Forms, by) }
