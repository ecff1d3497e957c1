// Package reqctx is the context of a request, for who has one or two of them with each request.
//
// Those of package context enter each child into a table of its parent, and make a channel as soon as anybody derives from
// them. With tens of thousands of requests a second, nearly none of which is cancelled, that is a good part of what each costs.
// A Context here makes its channel for who asks for it, and keeps a short list of what its end calls.
package reqctx
