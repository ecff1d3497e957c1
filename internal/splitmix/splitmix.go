// Package splitmix spreads the bits of numbers.
package splitmix

// Mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014): equal numbers give equal ones, close numbers nothing alike, and no
// two give the same.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
