// Package request holds what the interfaces that generate text share: how a request becomes sampling parameters, how long
// its prompt and its answer may be, and the form in which a handler streams an answer.
package request
