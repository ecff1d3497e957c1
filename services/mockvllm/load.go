package mockvllm

import (
	"context"
	"fmt"
	"time"
)

// shards is how many files of weights the mock pretends to load, each in the same time.
const shards = 10

// load takes the time that a model takes to load, and tells how far it is as vLLM's loader of weights does. It returns false when ctx
// ended first.
func (s *Server) load(ctx context.Context) bool {
	took := s.cfg.Mock.LoadTime
	if took == 0 {
		return ctx.Err() == nil
	}
	for n := range shards {
		s.console.Line("%s", bar(n, took/shards))
		if !wait(ctx, took/shards) {
			return false
		}
	}
	s.console.Line("%s", bar(shards, took/shards))
	s.console.Info("default_loader.py:501", "Loading weights took %.2f seconds", took.Seconds())
	return true
}

// bar is the progress bar of tqdm as vLLM prints it, of which each state has a line of its own.
func bar(n int, each time.Duration) string {
	remaining, rate := "?", "?it/s"
	if n > 0 {
		remaining = elapsed(time.Duration(shards-n) * each)
		rate = fmt.Sprintf("%5.2fit/s", float64(time.Second)/float64(each))
		if each > time.Second {
			rate = fmt.Sprintf("%5.2fs/it", each.Seconds())
		}
	}
	return fmt.Sprintf("\rLoading safetensors checkpoint shards: %3d%% Completed | %d/%d [%s<%s, %s]\n",
		100*n/shards, n, shards, elapsed(time.Duration(n)*each), remaining, rate)
}

// elapsed writes a time as tqdm does: 01:05, or 1:00:05 from an hour on.
func elapsed(d time.Duration) string {
	s := int(d.Seconds())
	if s < 3600 {
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
