package octets_test

import (
	"encoding/json"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/octets"
)

// TestSpecial has each byte at each place, behind plain ones and before whatever follows it.
func TestSpecial(t *testing.T) {
	for c := range 0x100 {
		for at := range 8 {
			for _, rest := range []byte{'a', 0, '"', '\\', 0x1f, 0x7f, 0x80, 0xff} {
				text := []byte("aaaaaaaa")
				text[at] = byte(c)
				for i := at + 1; i < len(text); i++ {
					text[i] = rest
				}
				first := len(text)
				for i, b := range text {
					if b < 0x80 && !json.Valid([]byte{'"', b, '"'}) {
						first = i
						break
					}
				}
				found := octets.Special(octets.Word(string(text)))
				require.Equal(t, first, bits.TrailingZeros64(found)/8, "%q", text)
			}
		}
	}
}
