package classify

import "regexp"

// prefix is what vLLM puts in front of a line: the process, where it is not the only one, and level, time and place in the source. Workers
// of several GPUs are "(Worker_TP0 pid=12)". Tracebacks and progress bars have the process at most.
var prefix = regexp.MustCompile(`^(?:\([A-Za-z][\w. -]* pid=\d+\) ?)?(?:(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]\s]*\] ?)?`)

// bare is the line without its prefix.
func bare(line string) string { return line[len(prefix.FindString(line)):] }
