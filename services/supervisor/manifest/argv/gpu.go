package argv

import (
	"fmt"
	"strconv"
	"strings"
)

// defaultShare is what vLLM 0.32 takes of a GPU's memory when nothing is said.
const defaultShare = 0.92

// GPU is what a vLLM takes of the GPUs of its machine.
type GPU struct {
	Share   float64  // of the memory of each, over 0 and at most 1
	Count   int      // how many it takes: tensor, pipeline and data parallel sizes together
	Devices []string // that it sees, as CUDA_VISIBLE_DEVICES names them; nil: nobody says which
}

// Taken are the devices that it takes, the first ones that it sees. Where nobody says which, these are those of the machine.
func (g GPU) Taken() []string {
	if g.Devices != nil {
		return g.Devices[:min(g.Count, len(g.Devices))]
	}
	first := make([]string, g.Count)
	for i := range first {
		first[i] = strconv.Itoa(i)
	}
	return first
}

// GPU is what a command line, the program first, takes of each GPU. It is nil when the program is no vLLM, or decides in another way.
func (l Line) GPU() (*GPU, error) {
	if !l.VLLM() || l.Mock() {
		return nil, nil
	}
	for _, flag := range []string{"--kv-cache-memory-bytes", "--device-ids"} {
		if _, otherwise := l.Find(flag); otherwise {
			return nil, nil
		}
	}
	g := &GPU{Share: defaultShare, Count: 1}
	for _, flag := range []string{"--gpu-memory-utilization", "--device-memory-utilization"} {
		value, given := l.Find(flag)
		if !given {
			continue
		}
		share, err := strconv.ParseFloat(value.Value, 64)
		if err != nil || !(share > 0 && share <= 1) {
			return nil, fmt.Errorf("%s needs a number over 0 and at most 1", flag)
		}
		g.Share = share
	}
	for _, flags := range [][]string{{"--tensor-parallel-size", "-tp"}, {"--pipeline-parallel-size", "-pp"}, {"--data-parallel-size", "-dp"}} {
		for _, flag := range flags {
			if value, given := l.Find(flag); given {
				if n, err := strconv.Atoi(value.Value); err == nil && n > 0 && n <= 1024 { // vLLM refuses all else itself
					g.Count *= n
				}
			}
		}
	}
	return g, nil
}

// On is the same for a server that sees some devices, as CUDA_VISIBLE_DEVICES lists them. nil stays so.
func (g *GPU) On(devices string) *GPU {
	if g == nil {
		return nil
	}
	own := *g
	own.Devices = strings.Split(devices, ",")
	return &own
}
