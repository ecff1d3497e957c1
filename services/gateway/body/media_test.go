package body_test

import (
	"strings"
	"testing"
)

func TestMedia(t *testing.T) {
	f := func(content string, pieces, size int) {
		t.Helper()
		if n, bytes := parse(t, `{"messages":[{"role":"user","content":`+content+`}]}`).Media(); n != pieces || bytes != size {
			t.Errorf("%.80s: %d pieces of %d bytes, want %d of %d", content, n, bytes, pieces, size)
		}
	}
	picture := strings.Repeat("iVBORw0KGgo/+A9_", 1000)
	url := "data:image/png;base64," + picture
	f(`"hello"`, 0, 0)
	f(`"`+strings.Repeat("a long story. ", 1000)+`"`, 0, 0)
	f(`"`+strings.Repeat("長い物語", 1000)+`"`, 0, 0)
	f(`"`+picture[:1000]+`"`, 0, 0)
	f(`"`+picture+`"`, 1, 16000)
	f(`[{"type":"image_url","image_url":{"url":"`+url+`"}},{"type":"text","text":"`+strings.Repeat("what is this? ", 500)+`"}]`, 1, 16022)
	f(`[{"image_url":{"url":"`+strings.ReplaceAll(url, "/", `\/`)+`"}},{"input_audio":{"data":"`+picture+`","format":"wav"}}]`, 2, 2*16000+23+1000)
}
