package gpu

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	program = "nvidia-smi"
	// smiPatience bounds one question. Without the persistence daemon the driver is loaded for it, which takes seconds.
	smiPatience = 20 * time.Second
)

// device is one GPU. Memory is in MiB, as nvidia-smi counts.
type device struct {
	index string
	uuid  string // "GPU-" and so on
	total float64
	free  float64
}

// query asks nvidia-smi for all GPUs. Without the program it returns none.
func query(ctx context.Context) ([]device, error) {
	ctx, cancel := context.WithTimeout(ctx, smiPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "--query-gpu=index,uuid,memory.total,memory.free", "--format=csv,noheader,nounits")
	cmd.WaitDelay = time.Second // a program that it has started may hold the output
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w: %.200s", program, err, strings.TrimSpace(string(out))) // it complains on its standard output
	}
	return parse(string(out)), nil
}

// parse reads lines such as "0, GPU-4f1c, 24564, 24012". It leaves out what it cannot read: GPUs that share the memory of their
// machine have "[N/A]" for it.
func parse(table string) []device {
	var devices []device
	for line := range strings.Lines(table) {
		fields := strings.Split(line, ",")
		if len(fields) != 4 {
			continue
		}
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		total, err := strconv.ParseFloat(fields[2], 64)
		free, err2 := strconv.ParseFloat(fields[3], 64)
		if err == nil && err2 == nil && total > 0 && free >= 0 && fields[0] != "" && fields[1] != "" {
			devices = append(devices, device{fields[0], fields[1], total, free})
		}
	}
	return devices
}

// among finds the GPU that CUDA_VISIBLE_DEVICES means by a name: an index, or the beginning of a UUID. Parts of a GPU (MIG) are not
// found. The indices are those of nvidia-smi, which CUDA shares on machines whose GPUs are all alike.
func among(devices []device, name string) (device, bool) {
	for _, d := range devices {
		if d.index == name || strings.HasPrefix(name, "GPU-") && strings.HasPrefix(d.uuid, name) {
			return d, true
		}
	}
	return device{}, false
}
