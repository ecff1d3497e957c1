// Package edge is what lies between the gateway and the outside: who the client is when proxies stand in front, which pages of other
// origins may ask, and the certificate that connections are encrypted with.
//
// A connection passes ProxyProtocol, then TLS of Certificate; a request then passes Clients, the log, and CORS.
package edge
