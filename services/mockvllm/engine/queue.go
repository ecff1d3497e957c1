package engine

import "container/heap"

// queue is the waiting sequences. Those that come first are admitted first: by priority where that is the policy, and then
// by turn.
type queue []*Sequence

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].rank != q[j].rank {
		return q[i].rank < q[j].rank
	}
	return q[i].turn < q[j].turn
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push is for container/heap.
func (q *queue) Push(x any) {
	s := x.(*Sequence)
	s.index = len(*q)
	*q = append(*q, s)
}

// Pop is for container/heap.
func (q *queue) Pop() any {
	old := *q
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return s
}

func (q *queue) add(s *Sequence)    { heap.Push(q, s) }
func (q *queue) next() *Sequence    { return heap.Pop(q).(*Sequence) }
func (q *queue) remove(s *Sequence) { heap.Remove(q, s.index) }
