package admission

// Keys is how many keys are remembered.
func (q *Quotas) Keys() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.used)
}
