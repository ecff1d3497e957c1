// Package store keeps what has to survive the supervisor, in a folder that belongs to one supervisor at a time.
//
//	folder.go     the folder and its lock
//	events.go     what happened, numbered: told once it is on disk, read from memory
//	file.go       the lines of JSON that events are on disk, their rotation and repair
//	patience.go   how somebody waits for the disk
//	models.go     what is remembered of each model; save.go has the one small file, which is replaced as a whole
//
// Nobody who adds something waits for the disk, and a disk that fails costs a line in the log.
package store
