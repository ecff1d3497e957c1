// Package wire breaks answers on their way to the client: an Answer stands in for the http.ResponseWriter of a handler and
// cuts, stalls, splits or garbles what is written to it, by means of HTTP where they reach and of the bare connection where
// they do not.
package wire
