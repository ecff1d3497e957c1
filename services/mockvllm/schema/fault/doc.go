// Package fault is what is wrong with a body, place by place: pydantic's types of errors, and the texts that vLLM and pydantic
// make of them.
package fault
