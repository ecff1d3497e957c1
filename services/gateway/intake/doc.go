// Package intake takes in the bodies of requests: as much of each as has to be known before it can be sent on, and no more of all
// of them than may be in memory, of which answers that are held back get a part. What cannot be read is refused in the client's
// words. Which model a body is for, and who may send it, is not known here.
package intake
