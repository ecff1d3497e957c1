// Package loading decides when a server may begin to load. Each rule is asked before every start; a server whose turn has not come
// is pending, and says what it waits for.
//
//	After    the models that it needs are ready
//	Slots    not too many load at the same time
//
// A place in a queue is never held while another rule is waited for that may take for ever: Slots come last, because a slot comes
// free by itself, when its server is ready or has ended.
package loading
