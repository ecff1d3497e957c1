package memory

import "testing"

func TestPercentFor(t *testing.T) {
	f := func(live, stacks uint64, want int64) {
		t.Helper()
		if got := percentFor(live<<20, stacks<<20); got != want {
			t.Errorf("%d MiB and %d MiB of stacks: %d %%, want %d %%", live, stacks, got, want)
		}
	}
	f(0, 0, 400)
	f(4, 2, 400)
	f(10, 12, 190)
	f(30, 2, 100)
	f(900, 100, 100)
}
