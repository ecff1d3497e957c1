package chunk_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/chunk"
)

func TestSize(t *testing.T) {
	tests := []struct {
		head string
		size int64
		rest string
		err  error
	}{
		{"0", 0, "", nil},
		{"1aF", 0x1af, "", nil},
		{"0000000000000010", 16, "", nil},
		{"fffffffffffffff", 1<<60 - 1, "", nil},
		{"5;name=value", 5, ";name=value", nil},
		{"5 \r\n", 5, " \r\n", nil},
		{"0x10", 0, "x10", nil},
		{"1000000000000000", 0, "", chunk.ErrTooLarge},
		{"00000000000000010", 0, "", chunk.ErrTooLarge},
		{"", 0, "", chunk.ErrNoSize},
		{"+5", 0, "", chunk.ErrNoSize},
		{" 5", 0, "", chunk.ErrNoSize},
		{"g", 0, "", chunk.ErrNoSize},
		{"\x10", 0, "", chunk.ErrNoSize}, // a digit but for one bit
		{"@", 0, "", chunk.ErrNoSize},
	}
	for _, tt := range tests {
		t.Run(tt.head, func(t *testing.T) {
			size, rest, err := chunk.Size([]byte(tt.head))
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.size, size)
			require.Equal(t, tt.rest, string(rest))
		})
	}
}

// FuzzSize: what has a size is what strconv reads.
func FuzzSize(f *testing.F) {
	f.Add([]byte("5;x"))
	f.Add([]byte("FFFFFFFFFFFFFFFF"))
	f.Add([]byte("-1"))
	f.Fuzz(func(t *testing.T, head []byte) {
		size, rest, err := chunk.Size(head)
		if err != nil {
			return
		}
		want, err := strconv.ParseInt(string(head[:len(head)-len(rest)]), 16, 64)
		require.NoError(t, err)
		require.Equal(t, want, size)
		require.True(t, len(rest) == 0 || !isHex(rest[0]))
	})
}

func isHex(c byte) bool {
	_, err := strconv.ParseUint(string(c), 16, 8)
	return err == nil
}
