// Package pool makes connections to model servers, keeps those that are not in use, and counts both.
package pool
