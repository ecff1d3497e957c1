// Package latency says how long things take: the delays of one request, as distributions, or the steps of the whole batch,
// as a profile of a real server. Delays of a request depend on the seed and on its id alone, so that they are the same
// whatever else runs, and in whatever order.
package latency
