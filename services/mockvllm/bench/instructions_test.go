//go:build linux

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkInstructions tells how many instructions one answer of 16 tokens takes outside of the kernel, as valgrind counts them. What
// else the machine does hardly changes that, so it tells of a change what processor time tells only on an idle machine.
func BenchmarkInstructions(b *testing.B) {
	if _, err := exec.LookPath("valgrind"); err != nil {
		b.Skip("there is no valgrind to count them")
	}
	mocked := instructions(b, nil, append(append([]string{build(b)}, serve()...), quiet)...)
	bared := instructions(b, []string{bareEnv + "=ADDR"}, os.Args[0])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(mocked, "instructions/answer")
	b.ReportMetric(bared, "instructions/bare")
	b.ReportMetric(mocked/bared, "ratio")
}

// instructions takes those of the start off: it counts what some answers take, and what three times as many take.
func instructions(b *testing.B, env []string, command ...string) float64 {
	b.Helper()
	const some = 3000
	count := func(answers int) float64 {
		out := filepath.Join(b.TempDir(), "cachegrind")
		valgrind := []string{"--log-file=" + os.DevNull, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=" + out}
		p := start(b, "valgrind", env, append(valgrind, command...)...)
		load(b, p, request(plainBody), answers)
		_ = p.cmd.Process.Signal(os.Interrupt) // what failed is not in the file
		_ = p.cmd.Wait()
		text, err := os.ReadFile(out)
		if err != nil {
			b.Fatal(err)
		}
		_, sum, _ := strings.Cut(string(text), "\nsummary: ")
		n, err := strconv.ParseFloat(strings.TrimSpace(sum), 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	first := count(some)
	return (count(3*some) - first) / (2 * some)
}
