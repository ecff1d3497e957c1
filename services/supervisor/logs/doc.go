// Package logs keeps what model servers print, in memory and on disk, without their secrets.
//
//	driver ─► Stream.Write ─► splitter.go   lines, and the states of progress bars
//	                     ─► redact/       "***" for each secret
//	                     ─► ring.go       the last lines, for readers and followers
//	                     ─► rotate/       the same on disk, rotated
//	                     ─► Observe       whoever learns from them: the classifier
//
//	read.go   readers and followers     crash.go   how servers failed, with their last lines     ansi.go   colours, or none
//
// Each line has an offset, a number that only grows, over all streams and, with a folder, over restarts: whoever knows the last one that
// it has read goes on from there.
package logs
