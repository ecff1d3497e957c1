// Package kv is the bookkeeping of a paged KV cache: which blocks are in use, how often, and which of the free ones are
// remembered for the tokens that they hold. It follows the block pool of vLLM's V1 engine.
//
//	            Take, Alloc                 Release
//	free ────────────────────► in use ────────────────────► free: at the end of the queue if it is remembered,
//	  ▲                           │ Remember (once full)           at its head if not
//	  └──── forgotten when Alloc gives it to somebody else ◄───────┘
package kv
