// Package httpfield reads and judges the names and values of HTTP fields (RFC 9110, section 5), for who reads or writes a message
// itself: the server and the transport. It gives what net/http gives, in one look at each byte.
package httpfield
