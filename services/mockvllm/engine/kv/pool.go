package kv

// Pool is all the blocks of a KV cache. Block 0 stands for none and is never given out, as in vLLM. It is not safe for
// concurrent use.
type Pool struct {
	blocks []block // the links of block 0 are the head and the tail of the queue of free blocks
	free   int
	cached map[Hash]int32 // oldest of the blocks with this content; nil: nothing is remembered
}

type block struct {
	hash         Hash
	refs         int32
	prev, next   int32 // in the queue, whose head is given out first
	older, newer int32 // in the ring of the blocks with the same hash
	remembered   bool
}

// NewPool has blocks-1 blocks to give. Without caching it remembers nothing.
func NewPool(blocks int, caching bool) *Pool {
	p := &Pool{blocks: make([]block, blocks), free: blocks - 1}
	for i := range p.blocks {
		p.blocks[i].prev = int32((i + blocks - 1) % blocks) // as many blocks as an int32 counts are 100 GB of them
		p.blocks[i].next = int32((i + 1) % blocks)
	}
	if caching {
		p.cached = map[Hash]int32{}
	}
	return p
}

// Free is how many blocks can be given out, also those that are remembered.
func (p *Pool) Free() int { return p.free }

// Used is how many blocks are in use.
func (p *Pool) Used() int { return len(p.blocks) - 1 - p.free }

// Usage is the share of the blocks that are in use, 0 to 1.
func (p *Pool) Usage() float64 {
	if len(p.blocks) == 1 {
		return 0
	}
	return float64(p.Used()) / float64(len(p.blocks)-1)
}

// Match tells how many blocks at the beginning of the chain are remembered, and how many of these are free.
func (p *Pool) Match(chain []Hash) (hits, free int) {
	for _, h := range chain {
		id := p.cached[h]
		if id == 0 {
			break
		}
		hits++
		if p.blocks[id].refs == 0 {
			free++
		}
	}
	return hits, free
}

// Take appends the remembered blocks of the chain to a table and uses them once more.
func (p *Pool) Take(table []int32, chain []Hash) []int32 {
	for _, h := range chain {
		id := p.cached[h]
		b := &p.blocks[id]
		if b.refs == 0 {
			p.unlink(id)
		}
		b.refs++
		table = append(table, id)
	}
	return table
}

// Alloc appends n free blocks to a table, of which there must be that many. What they held is forgotten.
func (p *Pool) Alloc(table []int32, n int) []int32 {
	for range n {
		id := p.blocks[0].next
		p.unlink(id)
		p.forget(id)
		p.blocks[id].refs = 1
		table = append(table, id)
	}
	return table
}

// Remember notes what a full block holds, unless that is known.
func (p *Pool) Remember(id int32, h Hash) {
	b := &p.blocks[id]
	if p.cached == nil || b.remembered {
		return
	}
	b.hash, b.remembered, b.older, b.newer = h, true, id, id
	oldest := p.cached[h]
	if oldest == 0 {
		p.cached[h] = id
		return
	}
	b.older, b.newer = p.blocks[oldest].older, oldest
	p.blocks[b.older].newer, p.blocks[b.newer].older = id, id
}

// Release gives up the blocks of a table, the last one first: the beginning of a sequence is what others share with it.
func (p *Pool) Release(table []int32) {
	var first int32 // of those that hold nothing to remember; they are given out before all others
	for i := len(table) - 1; i >= 0; i-- {
		id := table[i]
		b := &p.blocks[id]
		b.refs--
		switch {
		case b.refs > 0:
		case b.remembered:
			p.link(id, p.blocks[0].prev)
		default:
			p.link(id, first)
			first = id
		}
	}
}

// Reset forgets what all blocks hold. It fails while one is in use.
func (p *Pool) Reset() bool {
	if p.Used() > 0 {
		return false
	}
	clear(p.cached)
	for i := range p.blocks {
		p.blocks[i].remembered = false
	}
	return true
}

// forget is for a block that will hold something else.
func (p *Pool) forget(id int32) {
	b := &p.blocks[id]
	if !b.remembered {
		return
	}
	b.remembered = false
	switch {
	case b.newer == id:
		delete(p.cached, b.hash)
		return
	case p.cached[b.hash] == id:
		p.cached[b.hash] = b.newer
	}
	p.blocks[b.older].newer, p.blocks[b.newer].older = b.newer, b.older
}

func (p *Pool) unlink(id int32) {
	b := &p.blocks[id]
	p.blocks[b.prev].next, p.blocks[b.next].prev = b.next, b.prev
	p.free--
}

func (p *Pool) link(id, after int32) {
	b := &p.blocks[id]
	b.prev, b.next = after, p.blocks[after].next
	p.blocks[b.prev].next, p.blocks[b.next].prev = id, id
	p.free++
}
