package argv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fluidmcp/fluidmcp/services/supervisor/manifest/argv"
)

// line is a command line that anybody may see.
func line(words string) argv.Line {
	var l argv.Line
	for _, w := range strings.Fields(words) {
		l = append(l, argv.Plain(w))
	}
	return l
}

func TestFlagsAreReadAsVLLMDoes(t *testing.T) {
	f := func(words, flag, want string, there bool) {
		t.Helper()
		got, ok := line(words).Find(flag)
		require.Equal(t, want, got.Value, words)
		require.Equal(t, there, ok, words)
	}
	f("vllm serve x --port 1", "--port", "1", true)
	f("vllm serve x --port=1", "--port", "1", true)
	f("vllm serve x --max_model_len 1", "--max-model-len", "1", true)
	f("vllm serve x --port 1 --port=2", "--port", "2", true)
	f("vllm serve x --port", "--port", "", true)
	f("vllm serve x --portal 1", "--port", "", false)
}

func TestReplaced(t *testing.T) {
	l := line("s --port 1 --port=2 --max_num 3")
	require.Equal(t, "s --port 9 --port=9 --max_num 3", strings.Join(l.Replaced("--port", "9").Values(), " "))
	require.Equal(t, "s --port 1 --port=2 --max_num 9", strings.Join(l.Replaced("--max-num", "9").Values(), " "))
	require.Equal(t, "s --port 1 --port=2 --max_num 3", strings.Join(l.Values(), " "))
	require.Equal(t, "s --port 1 --port=2 --max_num 3 --host h", strings.Join(l.With("--host", "h").Values(), " "))
}

func TestSecretsAreNotShown(t *testing.T) {
	l := line("s --api-key k1 k2 --hf-token=k3 --port 1 --SECRET k4")
	require.Equal(t, "s --api-key *** *** --hf-token=*** --port 1 --SECRET ***", l.Redacted().String())
	var found []string
	l.Secrets(func(_ int, _, value string) { found = append(found, value) })
	require.Equal(t, []string{"k1", "k2", "k3", "k4"}, found)
}

func TestWhatACommandServes(t *testing.T) {
	f := func(words, want string) {
		t.Helper()
		l := line(words)
		require.Equal(t, want, fmt.Sprintf("vllm %t, mock %t, %s as %s", l.VLLM(), l.Mock(), l.Model(), l.Served()), words)
	}
	f("vllm serve x", "vllm true, mock false, x as x")
	f("/opt/bin/vllm serve --model x --served-model-name n", "vllm true, mock false, x as n")
	f("vllm bench x", "vllm false, mock false,  as ")
	f("python3.12 -m vllm.entrypoints.openai.api_server --model=x", "vllm true, mock false, x as x")
	f("python3 server.py", "vllm false, mock false,  as ")
	f("./mockvllm serve x", "vllm true, mock true, x as x")
}

func TestForMock(t *testing.T) {
	f := func(words, name, want string) {
		t.Helper()
		require.Equal(t, want, strings.Join(line(words).ForMock(name).Values(), " "), words)
	}
	f("", "", "serve mock-model")
	f("--port 1", "n", "serve n --port 1")
	f("serve --port 1", "", "serve mock-model --port 1")
	f("serve x", "n", "serve x --served-model-name n")
	f("serve --model x", "", "serve --model x")
	f("version", "n", "version")
}

func TestWhatItTakesOfGPUs(t *testing.T) {
	f := func(words, want string) {
		t.Helper()
		g, err := line(words).GPU()
		switch {
		case err != nil:
			require.Equal(t, want, err.Error(), words)
		case g == nil:
			require.Equal(t, want, "nothing", words)
		default:
			require.Equal(t, want, fmt.Sprintf("%g of %s", g.Share, strings.Join(g.Taken(), "+")), words)
		}
	}
	f("vllm serve x", "0.92 of 0")
	f("vllm serve x --gpu_memory_utilization 0.5 -tp 2 --pipeline-parallel-size=2", "0.5 of 0+1+2+3")
	f("vllm serve x --gpu-memory-utilization 2", "--gpu-memory-utilization needs a number over 0 and at most 1")
	f("vllm serve x --kv-cache-memory-bytes 1G", "nothing")
	f("mockvllm serve x", "nothing")
	f("./server", "nothing")

	g, err := line("vllm serve x -tp 2").GPU()
	require.NoError(t, err)
	require.Equal(t, []string{"4", "5"}, g.On("4,5,6").Taken())
	require.Equal(t, []string{"4"}, g.On("4").Taken())
	require.Nil(t, g.Devices)
	require.Nil(t, (*argv.GPU)(nil).On("4"))
}

func TestProfiles(t *testing.T) {
	flags := argv.Profile("development")
	flags["max-model-len"] = argv.Flag("max-model-len", "8")
	require.Equal(t, "--enforce-eager --gpu-memory-utilization 0.5 --max-model-len 8 --max-num-seqs 16", strings.Join(flags.Line().Values(), " "))
	require.Empty(t, argv.Profile("production").Line())
}
