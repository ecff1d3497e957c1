package settings_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/internal/settings"
)

// trial has a field of each type that settings have.
type trial struct {
	Size  int           `split_words:"true"`
	Bytes int64         `split_words:"true"`
	Share float64       `split_words:"true"`
	Wait  time.Duration `split_words:"true"`
	Open  bool          `split_words:"true"`
	Names []string      `split_words:"true"`
	Small uint8         `split_words:"true"`
	Side  side          `split_words:"true"`

	TLSKeyFile string `split_words:"true"`
	LogFileMB  string `split_words:"true"`
}

// side is a type that reads itself.
type side string

func (s *side) UnmarshalText(text []byte) error {
	if *s = side(text); *s != "left" && *s != "right" {
		return fmt.Errorf("%q is not left or right", text)
	}
	return nil
}

func TestRead(t *testing.T) {
	for name, value := range map[string]string{"SIZE": "-3", "BYTES": "33554432", "SHARE": "0.5", "WAIT": "1m30s", "OPEN": "true", "NAMES": "a,b"} {
		t.Setenv("TRIAL_"+name, value)
	}
	got := trial{Small: 7}
	require.NoError(t, settings.Read("trial", &got))
	require.Equal(t, trial{-3, 32 << 20, 0.5, 90 * time.Second, true, []string{"a", "b"}, 7, "", "", ""}, got)
}

// TestEmptyIsNotSet: what a compose file passes on as ${NAME:-} leaves the default.
func TestEmptyIsNotSet(t *testing.T) {
	for _, name := range []string{"SIZE", "SHARE", "WAIT", "OPEN", "NAMES", "SIDE", "TLS_KEY_FILE"} {
		t.Setenv("TRIAL_"+name, "")
	}
	want := trial{Size: 3, Share: 0.5, Wait: time.Second, Open: true, Names: []string{"a"}, Side: "left", TLSKeyFile: "key.pem"}
	got := want
	require.NoError(t, settings.Read("trial", &got))
	require.Equal(t, want, got)
	_, set := os.LookupEnv("TRIAL_SIZE")
	require.True(t, set, "the environment is as it was")
}

func TestFaults(t *testing.T) {
	f := func(name, value, want string) {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			require.EqualError(t, settings.Read("trial", &trial{}), "read environment: "+want)
		})
	}
	f("TRIAL_SIZE", "many", `TRIAL_SIZE "many": write a whole number`)
	f("TRIAL_BYTES", "32MB", `TRIAL_BYTES "32MB": write a whole number`)
	f("TRIAL_SHARE", "half", `TRIAL_SHARE "half": write a number`)
	f("TRIAL_WAIT", "5", `TRIAL_WAIT "5": write a duration such as 300ms, 5s or 2m`)
	f("TRIAL_OPEN", "maybe", `TRIAL_OPEN "maybe": write true or false`)
	f("TRIAL_SMALL", "300", `TRIAL_SMALL "300": write uint8`)
	f("TRIAL_SIDE", "top", `TRIAL_SIDE: "top" is not left or right`)
	f("TRIAL_SIZES", "3", "unknown environment variable TRIAL_SIZES; did you mean TRIAL_SIZE?")
	f("TRIAL_TLS_KEYFILE", "3", "unknown environment variable TRIAL_TLS_KEYFILE; did you mean TRIAL_TLS_KEY_FILE?")
	f("TRIAL_LOG_FILEMB", "3", "unknown environment variable TRIAL_LOG_FILEMB; did you mean TRIAL_LOG_FILE_MB?")
	f("TRIAL_PORT", "3", "unknown environment variable TRIAL_PORT")
}

func TestAllFaultsAtOnce(t *testing.T) {
	t.Setenv("TRIAL_SIZE", "many")
	t.Setenv("TRIAL_WAIT", "5")
	t.Setenv("TRIAL_SHARE", "0.5")
	got := trial{}
	require.EqualError(t, settings.Read("trial", &got), "read environment: TRIAL_SIZE \"many\": write a whole number\n"+
		"TRIAL_WAIT \"5\": write a duration such as 300ms, 5s or 2m")
	require.Equal(t, "many", os.Getenv("TRIAL_SIZE"), "the environment is as it was")
	require.InDelta(t, 0.5, got.Share, 0)
}
