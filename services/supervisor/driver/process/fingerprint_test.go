package process_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/supervisor/driver/process"
)

func TestFingerprint(t *testing.T) {
	programs := t.TempDir()
	t.Setenv("PATH", programs)
	argv, env := []string{"vllm", "serve", "m"}, []string{"A=1", "B=2"}
	before := process.Fingerprint(argv, "/", env)
	f := func(name string, same bool, argv []string, dir string, env ...string) {
		t.Helper()
		if got := process.Fingerprint(argv, dir, env) == before; got != same {
			t.Errorf("%s: the same as before: %t", name, got)
		}
	}
	f("nothing has changed", true, argv, "/", "A=1", "B=2")
	f("another order of the variables", true, argv, "/", "B=2", "A=1")
	f("one more argument", false, append(argv, "--port=1"), "/", "A=1", "B=2")
	f("the words are cut elsewhere", false, []string{"vllm", "serve m"}, "/", "A=1", "B=2")
	f("another place", false, argv, "/tmp", "A=1", "B=2")
	f("another value", false, argv, "/", "A=1", "B=3")
	program := filepath.Join(programs, "vllm")
	require.NoError(t, os.WriteFile(program, nil, 0o700))
	f("it is installed", false, argv, "/", "A=1", "B=2")
	require.NoError(t, os.Remove(program))
	t.Setenv("NOBODYS_BUSINESS", "1") // is not passed on
	f("what no server inherits", true, argv, "/", "A=1", "B=2")
	t.Setenv("HF_TOKEN", "a-token-that-was-lacking")
	f("what a server inherits", false, argv, "/", "A=1", "B=2")
}
