package arrival

import (
	"math"
	"testing"
	"time"
)

func times(t *testing.T, arrivals string, rate float64, seed uint64, n int) (all []time.Duration) {
	t.Helper()
	p, err := New(arrivals, rate, seed)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		all = append(all, p.Next())
	}
	return all
}

func TestConstant(t *testing.T) {
	for i, at := range times(t, "constant", 8, 1, 1000) {
		if want := time.Duration(i) * time.Second / 8; at != want {
			t.Fatalf("request %d at %s, want %s", i, at, want)
		}
	}
}

// The gaps of a Poisson process are exponential: mean and deviation are the same, and 1/e of them exceed the mean.
func TestPoisson(t *testing.T) {
	const rate, n = 50.0, 20000
	at := times(t, "poisson", rate, 7, n+1)
	var sum, squares float64
	long := 0
	for i := range n {
		gap := (at[i+1] - at[i]).Seconds()
		if gap < 0 {
			t.Fatalf("request %d comes before %d", i+1, i)
		}
		sum, squares = sum+gap, squares+gap*gap
		if gap > 1/rate {
			long++
		}
	}
	mean := sum / n
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.03*want {
			t.Errorf("%s is %g, want about %g", what, got, want)
		}
	}
	near("mean gap", mean, 1/rate)
	near("deviation", math.Sqrt(squares/n-mean*mean), 1/rate)
	near("share of gaps above the mean", float64(long)/n, 1/math.E)
	for i, again := range times(t, "poisson", rate, 7, 100) {
		if again != at[i] {
			t.Fatalf("the same seed gives other times")
		}
	}
	if times(t, "poisson", rate, 8, 2)[1] == at[1] {
		t.Error("another seed gives the same times")
	}
}

func TestRefusals(t *testing.T) {
	for _, rate := range []float64{0, -1, math.Inf(1), math.NaN()} {
		if _, err := New("constant", rate, 1); err == nil {
			t.Errorf("rate %g is accepted", rate)
		}
	}
	if _, err := New("bursty", 1, 1); err == nil {
		t.Error("arrivals of any name are accepted")
	}
}
