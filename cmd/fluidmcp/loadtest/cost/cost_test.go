package cost

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

func TestUse(t *testing.T) {
	m := Start()
	for processTime() == m.cpu { // until the kernel has noticed
		for i := range 1000 {
			_ = math.Sqrt(float64(i))
		}
	}
	if u := m.Stop(); u.CPU <= 0 || u.Share <= 0 || u.Peak < u.Share {
		t.Errorf("%+v", u)
	}
	if Files() == 0 {
		t.Error("the limit of open files is not known")
	}
}

// On fake time nothing is late, and each nap is seen.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Start()
		time.Sleep(5*time.Second + nap/2)
		if u := m.Stop(); u.Delayed != 0 || m.late.TotalCount() != 500 {
			t.Errorf("%+v of %d naps", u, m.late.TotalCount())
		}
	})
}
