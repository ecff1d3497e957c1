package probe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Load is what a model server tells of itself.
type Load struct {
	Running float64 // requests in its batch
	Waiting float64 // requests in its queue
	KVUse   float64 // 0 to 1, of its KV cache
}

// The gauges of vLLM.
const (
	running     = "vllm:num_requests_running"
	waiting     = "vllm:num_requests_waiting"
	kvUse       = "vllm:kv_cache_usage_perc"
	kvUseBefore = "vllm:gpu_cache_usage_perc" // as older releases call it
)

const (
	maxMetrics = 1 << 20 // bytes; vLLM tells some 60 kB
	maxLine    = 4 << 10 // longer ones are no gauge of ours
)

var errTooLong = errors.New("more than 1 MiB of metrics")

// readLoad reads the Prometheus text format. A server with several engines has one sample of each: requests add up, cache
// use is their mean. It returns false when neither running nor waiting requests are told.
func readLoad(r io.Reader) (Load, bool, error) {
	limited := &io.LimitedReader{R: r, N: maxMetrics + 1}
	lines := bufio.NewReaderSize(limited, maxLine)
	var sum Load
	var told bool
	var caches float64
	for {
		line, err := lines.ReadSlice('\n')
		for errors.Is(err, bufio.ErrBufferFull) { // not one of ours: skip the rest of it
			line = nil
			_, err = lines.ReadSlice('\n')
		}
		switch name, rest := gauge(line); name {
		case running:
			told = add(&sum.Running, rest) || told
		case waiting:
			told = add(&sum.Waiting, rest) || told
		case kvUse, kvUseBefore:
			if add(&sum.KVUse, rest) {
				caches++
			}
		}
		if err != nil {
			if limited.N == 0 {
				return Load{}, false, errTooLong
			}
			if !errors.Is(err, io.EOF) {
				return Load{}, false, fmt.Errorf("read metrics: %w", err)
			}
			sum.KVUse = min(1, sum.KVUse/max(caches, 1))
			return sum, told, nil
		}
	}
}

// gauge returns the name of a sample, if it is one of ours, and what follows it, labels first.
func gauge(line []byte) (name string, rest []byte) {
	if !bytes.HasPrefix(line, []byte("vllm:")) {
		return "", nil
	}
	for _, name := range [...]string{running, waiting, kvUse, kvUseBefore} {
		if len(line) > len(name) && string(line[:len(name)]) == name && bytes.IndexByte([]byte("{ \t"), line[len(name)]) >= 0 {
			return name, line[len(name):]
		}
	}
	return "", nil
}

// add adds the value of a sample to sum, if it is a sensible one.
func add(sum *float64, rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	if bytes.HasPrefix(rest, []byte("{")) {
		rest = afterLabels(rest)
	}
	fields := bytes.Fields(rest) // the value, and sometimes a time
	if len(fields) == 0 {
		return false
	}
	value, err := strconv.ParseFloat(string(fields[0]), 64)
	if err != nil || !(value >= 0 && value <= 1e9) { // nor NaN, which is in no range
		return false
	}
	*sum += value
	return true
}

// afterLabels stands on the opening brace. Values are quoted and may hold anything, quotes escaped by a backslash.
func afterLabels(b []byte) []byte {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == '}' && !quoted:
			return b[i+1:]
		}
	}
	return nil
}
