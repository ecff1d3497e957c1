package pick

// cost is what another request would have to compete with: the requests there, counted up to twice as the KV cache fills,
// since a full one makes vLLM preempt, and more for a backend that should carry less.
func (c Candidate) cost() float64 { return (c.Load + 1) * (1 + c.KVUse) / c.share() }

// LeastLoad returns the cheaper of two candidates that random draws. Two are enough to avoid the busy ones, and with more
// every gateway would send its next requests to the same one (Mitzenmacher, "The Power of Two Choices in Randomized Load
// Balancing", 2001).
func LeastLoad(usable []Candidate, random uint64) int {
	n := uint64(len(usable))
	if n < 2 {
		return 0
	}
	first := random >> 32 * n >> 32
	second := random & (1<<32 - 1) * (n - 1) >> 32
	if second >= first { // one of the others, each as likely
		second++
	}
	if usable[second].cost() < usable[first].cost() {
		return int(second) // below len(usable)
	}
	return int(first) // below len(usable)
}

// smooth returns the candidate whose turn it is: each is chosen in proportion to share and as evenly spread as can be.
// It is nginx's smooth weighted round robin: all earn their share, and who is chosen pays for everyone.
func smooth(usable []Candidate, share func(Candidate) float64) int {
	best, total := 0, 0.0
	for i := range usable {
		earned := share(usable[i])
		usable[i].Credit += earned
		total += earned
		if usable[i].Credit > usable[best].Credit {
			best = i
		}
	}
	usable[best].Credit -= total
	return best
}
