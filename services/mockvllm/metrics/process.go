package metrics

import (
	"github.com/prometheus/procfs"
)

// python are the families that prometheus_client for Python has of its interpreter. There is none here: the values are
// those of an idle server (metrics of the captures), and never move.
func python() []*family {
	generations := func(name, help string, values ...float64) *family {
		f := &family{name: name, help: help, kind: counter, undated: true}
		for i, v := range values {
			f.with(label{"generation", string(rune('0' + i))}).set(v)
		}
		return f
	}
	info := &family{name: "python_info", help: "Python platform information", kind: gauge}
	info.with(label{"implementation", "CPython"}, label{"major", "3"}, label{"minor", "11"}, label{"patchlevel", "7"},
		label{"version", "3.11.7"}).set(1)
	return []*family{
		generations("python_gc_objects_collected", "Objects collected during gc", 14103, 2386, 2133),
		generations("python_gc_objects_uncollectable", "Uncollectable objects found during GC", 0, 0, 0),
		generations("python_gc_collections", "Number of times this generation was collected", 1807, 164, 11),
		info,
	}
}

// process tells of this process, where /proc does.
type process struct {
	proc                                 procfs.Proc
	families                             []*family
	virtual, resident, start, cpu, files *series
}

// newProcess has no families where there is no /proc, as in Python.
func newProcess() *process {
	p := &process{}
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
	add := func(name, help string, k kind) *series {
		f := &family{name: "process_" + name, help: help, kind: k, undated: true}
		p.families = append(p.families, f)
		return f.with()
	}
	p.virtual = add("virtual_memory_bytes", "Virtual memory size in bytes.", gauge)
	p.resident = add("resident_memory_bytes", "Resident memory size in bytes.", gauge)
	p.start = add("start_time_seconds", "Start time of the process since unix epoch in seconds.", gauge)
	p.cpu = add("cpu_seconds", "Total user and system CPU time spent in seconds.", counter)
	p.files = add("open_fds", "Number of open file descriptors.", gauge)
	add("max_fds", "Maximum number of open file descriptors.", gauge).set(float64(limits.OpenFiles))
	if start, err := stat.StartTime(); err == nil {
		p.start.set(start)
	}
	return p
}

// refresh reads what changes. A value that cannot be read stays as it was.
func (p *process) refresh() {
	if p.families == nil {
		return
	}
	if stat, err := p.proc.Stat(); err == nil {
		p.virtual.set(float64(stat.VirtualMemory()))
		p.resident.set(float64(stat.ResidentMemory()))
		p.cpu.set(stat.CPUTime())
	}
	if n, err := p.proc.FileDescriptorsLen(); err == nil {
		p.files.set(float64(n))
	}
}
