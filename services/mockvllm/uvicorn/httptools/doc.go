// Package httptools reads HTTP/1.1 requests as strictly, and as loosely, as httptools 0.9 does, the parser that vLLM 0.32 listens
// with: the same bytes are accepted, and those that are refused are refused as early. It has no state beyond its two machines,
// Parser for the head of a request and Chunked for a body in chunks, which take bytes as they come.
//
// It differs in that the protocols RTSP and ICE and their methods are refused, which httptools knows for other programs.
package httptools
