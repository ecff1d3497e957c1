package settings_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/settings"
)

func TestAbout(t *testing.T) {
	t.Setenv("TRIAL_WAIT", "1s") // which may be a secret: nothing of the environment is told
	about := func(args ...string) (string, bool) {
		out := &bytes.Buffer{}
		asked := settings.About(out, args, "Try things.\n\n  trial  try\n", "trial", &trial{Size: 3, Wait: 90 * time.Second, Names: []string{"a", "b"}})
		return out.String(), asked
	}
	for _, args := range [][]string{nil, {"serve"}, {"serve", "--help"}} {
		text, asked := about(args...)
		require.False(t, asked, args)
		require.Empty(t, text, args)
	}
	for _, arg := range []string{"version", "--version", "-v"} {
		text, asked := about(arg)
		require.True(t, asked, arg)
		require.Regexp(t, `^trial \S+ \(\S+, go1\.\S+\)\n$`, text, arg)
	}
	for _, arg := range []string{"help", "--help", "-h"} {
		text, asked := about(arg)
		require.True(t, asked, arg)
		require.Equal(t, `Try things.

  trial  try

Settings, with what they are where the environment does not say:
  TRIAL_SIZE=3
  TRIAL_BYTES=0
  TRIAL_SHARE=0
  TRIAL_WAIT=1m30s
  TRIAL_OPEN=false
  TRIAL_NAMES=a,b
  TRIAL_SMALL=0
  TRIAL_SIDE=
  TRIAL_TLS_KEY_FILE=
  TRIAL_LOG_FILE_MB=
`, text, arg)
	}
}
