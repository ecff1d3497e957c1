package splitmix_test

import (
	"testing"

	"github.com/fluidmcp/fluidmcp/internal/splitmix"
)

// TestMix: the numbers are the first ones of SplitMix64 with the seed 1234567, as its authors' code prints them.
func TestMix(t *testing.T) {
	state := uint64(1234567)
	for _, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		state += 0x9e3779b97f4a7c15
		if got := splitmix.Mix(state); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
}
