// Package client asks a gateway for what the management commands show.
//
//	gateway.go   where it is, and one request
//	watch.go     streams of events, which are asked for again when they break off
package client
