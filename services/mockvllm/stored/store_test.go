package stored

import (
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStoreForgets(t *testing.T) {
	const most = 16 * overhead
	s := newStore(most)
	for i := range 1000 {
		k := &kept{id: strconv.Itoa(i % 100), status: queued, body: make([]byte, 100)}
		s.put(k)
		if i%3 == 0 {
			s.finish(k, make([]byte, 5000), k.left)
		}
		size := 0
		for _, one := range s.all {
			size += one.size
		}
		if s.size != size || s.size > most || len(s.byID) > len(s.all) {
			t.Fatalf("after %d: %d bytes are counted, %d there, %d responses of %d are found", i+1, s.size, size, len(s.byID), len(s.all))
		}
	}
	if s.get("99") == nil {
		t.Error("the newest is forgotten")
	}
	big := &kept{id: "big", body: make([]byte, 2*most)}
	s.put(big)
	if s.get("big") != nil || s.size != 0 {
		t.Errorf("one beyond the bound is kept, %d bytes", s.size)
	}
}
