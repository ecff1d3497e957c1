package promclient

import (
	"github.com/prometheus/procfs"
)

// Python are the families that prometheus_client for Python has of its interpreter. There is none here: the values are
// those of an idle server (metrics of the captures), and never move.
func Python() []*Family {
	generations := func(name, help string, values ...float64) *Family {
		f := &Family{Name: name, Help: help, Kind: Counter, undated: true}
		for i, v := range values {
			f.With(Labels{"generation": string(rune('0' + i))}).Set(v)
		}
		return f
	}
	info := &Family{Name: "python_info", Help: "Python platform information", Kind: Gauge}
	info.With(Labels{"implementation": "CPython", "major": "3", "minor": "11", "patchlevel": "7", "version": "3.11.7"}).Set(1)
	return []*Family{
		generations("python_gc_objects_collected", "Objects collected during gc", 14103, 2386, 2133),
		generations("python_gc_objects_uncollectable", "Uncollectable objects found during GC", 0, 0, 0),
		generations("python_gc_collections", "Number of times this generation was collected", 1807, 164, 11),
		info,
	}
}

// Process tells of this process, where /proc does.
type Process struct {
	Families []*Family // nil where there is no /proc, as in Python

	proc                                 procfs.Proc
	virtual, resident, start, cpu, files *Series
}

// NewProcess reads what does not change.
func NewProcess() *Process {
	p := &Process{}
	proc, err := procfs.Self()
	if err != nil {
		return p
	}
	stat, err := proc.Stat()
	if err != nil {
		return p
	}
	limits, err := proc.Limits()
	if err != nil {
		return p
	}
	p.proc = proc
	add := func(name, help string, k Kind) *Series {
		f := &Family{Name: "process_" + name, Help: help, Kind: k, undated: true}
		p.Families = append(p.Families, f)
		return f.With(nil)
	}
	p.virtual = add("virtual_memory_bytes", "Virtual memory size in bytes.", Gauge)
	p.resident = add("resident_memory_bytes", "Resident memory size in bytes.", Gauge)
	p.start = add("start_time_seconds", "Start time of the process since unix epoch in seconds.", Gauge)
	p.cpu = add("cpu_seconds", "Total user and system CPU time spent in seconds.", Counter)
	p.files = add("open_fds", "Number of open file descriptors.", Gauge)
	add("max_fds", "Maximum number of open file descriptors.", Gauge).Set(float64(limits.OpenFiles))
	if start, err := stat.StartTime(); err == nil {
		p.start.Set(start)
	}
	return p
}

// Refresh reads what changes. A value that cannot be read stays as it was.
func (p *Process) Refresh() {
	if p.Families == nil {
		return
	}
	if stat, err := p.proc.Stat(); err == nil {
		p.virtual.Set(float64(stat.VirtualMemory()))
		p.resident.Set(float64(stat.ResidentMemory()))
		p.cpu.Set(stat.CPUTime())
	}
	if n, err := p.proc.FileDescriptorsLen(); err == nil {
		p.files.Set(float64(n))
	}
}
