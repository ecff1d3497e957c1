package clip_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/clip"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":             "",
		"short":        "short",
		"12345678":     "12345678",
		"123456789":    "12345…",
		"1234é6789":    "1234…", // é would end behind the bound
		"123é56789":    "123é…",
		"ééééé":        "éé…",
		"\x80\xff345":  "\x80\xff345",
		"1\xff3456789": "1345…",
	} {
		require.Equal(t, want, clip.Text(text, 8), "%q", text)
		require.LessOrEqual(t, len(clip.Text(text, 8)), 8, "%q", text)
	}
}
