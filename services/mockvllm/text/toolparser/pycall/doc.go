// Package pycall writes and reads calls as they stand in Python, f(x=1, y='a'), with literals for arguments.
package pycall
