package pyjson

import (
	"bufio"
	"encoding/json"
	"hash/crc32"
	"os"
	"testing"
)

func TestPrintable(t *testing.T) {
	file, err := os.Open("testdata/python.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := map[rune]uint32{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var e struct {
			Block     *rune
			Printable uint32
		}
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Block != nil {
			want[*e.Block] = e.Printable
		}
	}
	if len(want) == 0 {
		t.Fatal("nothing to compare with")
	}
	for block := rune(0); block < 0x110000; block += 4096 {
		bits, any := make([]byte, 4096), false
		for i := range bits {
			if printable(block + rune(i)) {
				bits[i], any = 1, true
			}
		}
		if got := crc32.ChecksumIEEE(bits); any != (want[block] != 0) || any && got != want[block] {
			t.Errorf("characters from %U on differ from Python's", block)
		}
	}
}
