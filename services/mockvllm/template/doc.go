// Package template makes a prompt of a conversation: chat templates as vLLM 0.32 and transformers apply them.
//
// Compile reads a template, Message brings a message into the form that templates expect, and Render writes the prompt. Tiny
// is the template of the reference model, written by hand because it is on every chat request's path.
package template
