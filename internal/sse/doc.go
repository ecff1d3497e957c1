// Package sse reads and writes event streams as the WHATWG HTML standard defines them (section 9.2, server-sent events).
package sse
