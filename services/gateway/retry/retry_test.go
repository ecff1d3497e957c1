package retry_test

import (
	"sync"
	"testing"
	"time"

	"github.com/fluidmcp/fluidmcp/services/gateway/retry"
)

// take uses a budget up and returns how many retries it had.
func take(b *retry.Budget) (n int) {
	for b.Take() {
		n++
	}
	return n
}

func TestBudget(t *testing.T) {
	var b retry.Budget
	if n := take(&b); n != 200 {
		t.Errorf("the reserve is %d", n)
	}
	for range 1000 {
		b.Request()
	}
	if n := take(&b); n < 199 || n > 200 {
		t.Errorf("%d retries after 1000 requests, want a fifth", n)
	}
	for range 1_000_000 {
		b.Request()
	}
	if n := take(&b); n != 200 {
		t.Errorf("%d retries after a quiet time, want no more than the reserve", n)
	}
}

func TestBudgetConcurrently(t *testing.T) {
	var b retry.Budget
	taken := make(chan int, 8)
	var all sync.WaitGroup
	for range cap(taken) {
		all.Go(func() { taken <- take(&b) })
	}
	all.Wait()
	close(taken)
	sum := 0
	for n := range taken {
		sum += n
	}
	if sum != 200 {
		t.Errorf("%d retries of 200", sum)
	}
}

func TestFirstBytes(t *testing.T) {
	var f retry.FirstBytes
	for i := range 19 {
		f.Add(time.Duration(i+1) * time.Millisecond)
	}
	if p95, ok := f.P95(); ok {
		t.Errorf("%s is known from 19 answers", p95)
	}
	f.Add(20 * time.Millisecond)
	if p95, ok := f.P95(); !ok || p95 != 20*time.Millisecond {
		t.Errorf("p95 of 1 to 20 ms = %s, %v", p95, ok)
	}
	for range 300 { // what was long ago counts no more
		f.Add(time.Second)
	}
	if p95, _ := f.P95(); p95 != time.Second {
		t.Errorf("p95 = %s", p95)
	}
	for i := range 512 {
		f.Add(time.Duration(i%100+1) * time.Millisecond)
	}
	if p95, _ := f.P95(); p95 < 90*time.Millisecond || p95 > 97*time.Millisecond {
		t.Errorf("p95 of 1 to 100 ms = %s", p95)
	}
}
